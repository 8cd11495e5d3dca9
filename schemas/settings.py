"""Settings from the environment, validated together: every fault is reported at once."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from environs import EnvValidationError, FileAwareEnv, ValidationError, validate

from schemas.crypto.encryption import is_encryption_key
from schemas.errors import InvalidSettingsError
from schemas.setting_validators import (
    UnreadableFileError,
    certificates,
    database_url,
    directory_id,
    header_value,
    hub_roles,
    mail_address,
    networks,
    organisation,
    read_text_file,
    support_address,
    text_fault,
    url,
    with_root_certificates,
    without_path,
)
from schemas.validation import flatten_errors

if TYPE_CHECKING:
    from collections.abc import Collection

PREFIX: Final = "UPDATE_SYNC_"


class Requirement(Enum):
    """What a process requires; settings that it does not require may be missing."""

    DATABASE = auto()
    BROKER = auto()
    KEYS = auto()
    SKOLON = auto()


_VARIABLES: Final = {
    Requirement.DATABASE: ("DATABASE_URL",),
    Requirement.BROKER: ("AMQP_URL",),
    Requirement.KEYS: ("SECRET_KEYS",),
    Requirement.SKOLON: ("SKOLON_SCIM_URL",),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The environment's values; those that the process does not need may be empty."""

    amqp_url: str = ""
    database_url: str = ""
    secret_keys: tuple[str, ...] = ()
    skolon_scim_url: str = ""
    skolon_token: str = ""
    skolon_token_url: str = ""
    skolon_client_id: str = ""
    skolon_client_secret: str = ""
    graph_url: str = "https://graph.microsoft.com"
    entra_authority: str = "https://login.microsoftonline.com"
    ca_bundle: str | None = None
    hub_host: str = "127.0.0.1"
    hub_port: int = 8080
    hub_url: str = ""
    hub_entra_authority: str = ""
    hub_client_id: str = ""
    hub_client_secret: str = ""
    hub_operator_directory: str = ""
    hub_roles: tuple[str, ...] = ("operator=operator", "administrator=administrator", "reader=reader")
    hub_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    hub_support: str = ""
    smtp_url: str = ""
    mail_from: str = ""
    webhook_networks: tuple[str, ...] = ()
    log_format: str = "console"

    def __repr__(self) -> str:
        """Show nothing: some of the values are secrets, and URLs hold passwords."""
        return "<Settings>"


def load_settings(needs: Collection[Requirement] = tuple(Requirement)) -> Settings:
    """Read `UPDATE_SYNC_…` (or, for a value kept in a file, `UPDATE_SYNC_…_FILE`).

    White space around a value is none of it, and a blank value is none: that is how compose files pass on
    what is not set. Raises
    `InvalidSettingsError` that lists every fault of every variable, whether needed or not,
    and every variable that `needs` asks for and that is missing.
    """
    env = _Environment(eager=False, prefix=PREFIX, strip_whitespace=True)
    settings = Settings(
        amqp_url=env.str("AMQP_URL", "", validate=url("amqp", "amqps", may_have=("user", "query"))),
        database_url=env.str("DATABASE_URL", "", validate=database_url),
        secret_keys=tuple(env.list("SECRET_KEYS", [], validate=_keys) or ()),
        skolon_scim_url=env.str("SKOLON_SCIM_URL", "", validate=[url("https", "http"), organisation]),
        skolon_token=env.str("SKOLON_TOKEN", "", validate=header_value),
        skolon_token_url=env.str("SKOLON_TOKEN_URL", "", validate=url("https", "http", may_have=("query",))),
        skolon_client_id=env.str("SKOLON_CLIENT_ID", ""),
        skolon_client_secret=env.str("SKOLON_CLIENT_SECRET", ""),
        graph_url=env.str("GRAPH_URL", "", validate=url("https", "http")) or Settings.graph_url,
        entra_authority=env.str("ENTRA_AUTHORITY", "", validate=url("https")) or Settings.entra_authority,
        ca_bundle=env.str("CA_BUNDLE", "", validate=certificates) or None,
        hub_host=env.str("HUB_HOST", Settings.hub_host),
        hub_port=env.int("HUB_PORT", Settings.hub_port, validate=validate.Range(min=0, max=65535)),
        hub_url=env.str("HUB_URL", "", validate=[url("https", "http"), without_path]),
        hub_entra_authority=env.str("HUB_ENTRA_AUTHORITY", "", validate=url("https")),
        hub_client_id=env.str("HUB_CLIENT_ID", ""),
        hub_client_secret=env.str("HUB_CLIENT_SECRET", ""),
        hub_operator_directory=env.str("HUB_OPERATOR_DIRECTORY", "", validate=directory_id),
        hub_roles=tuple(env.list("HUB_ROLES", [], validate=hub_roles) or Settings.hub_roles),
        hub_proxies=tuple(env.list("HUB_PROXIES", [], validate=networks) or Settings.hub_proxies),
        hub_support=env.str("HUB_SUPPORT", "", validate=support_address),
        smtp_url=env.str("SMTP_URL", "", validate=url("smtp", "smtps", may_have=("user",))),
        mail_from=env.str("MAIL_FROM", "", validate=mail_address),
        webhook_networks=tuple(env.list("WEBHOOK_NETWORKS", [], validate=networks) or ()),
        log_format=env.str("LOG_FORMAT", Settings.log_format, validate=validate.OneOf(["console", "json"])),
    )
    wrong: set[str] = set()
    faults: list[str] = []
    try:
        env.seal()
    except EnvValidationError as error:
        wrong = {name.removeprefix(PREFIX).removesuffix(env.file_suffix) for name in error.error_messages}
        faults += flatten_errors(error.error_messages)
    faults += _missing(settings, needs, wrong)
    if settings.smtp_url and not settings.mail_from and "MAIL_FROM" not in wrong:
        faults.append(f"{PREFIX}MAIL_FROM: is not set, and {PREFIX}SMTP_URL needs it")
    if settings.hub_client_id:
        together = ("HUB_CLIENT_SECRET", "HUB_URL")
        faults += [
            f"{PREFIX}{name}: is not set, and {PREFIX}HUB_CLIENT_ID needs it"
            for name in together
            if name not in wrong and not getattr(settings, name.lower())
        ]
    if faults:
        raise InvalidSettingsError("The environment is not complete or not right:", faults)
    return replace(
        settings,
        database_url=with_root_certificates(settings.database_url, settings.ca_bundle),
        hub_url=settings.hub_url.rstrip("/"),
    )


def load_log_format() -> str:
    """Return how to log as far as the environment says it, whatever else in it is wrong."""
    env = _Environment(eager=False, prefix=PREFIX, strip_whitespace=True)
    return "json" if env.str("LOG_FORMAT", Settings.log_format) == "json" else Settings.log_format


def _missing(settings: Settings, needs: Collection[Requirement], wrong: Collection[str]) -> list[str]:
    """Return what is missing; of the `wrong` ones it is said already that they were not taken."""

    def lacks(name: str) -> bool:
        return name not in wrong and not getattr(settings, name.lower())

    faults = [f"{PREFIX}{name}: is not set" for need in needs for name in _VARIABLES[need] if lacks(name)]
    if Requirement.SKOLON in needs and lacks("SKOLON_TOKEN"):
        together = ("SKOLON_TOKEN_URL", "SKOLON_CLIENT_ID", "SKOLON_CLIENT_SECRET")
        missing = [f"{PREFIX}{name}" for name in together if lacks(name)]
        if missing:
            faults.append(
                f"{PREFIX}SKOLON_TOKEN: is not set; set it, or all of {PREFIX}SKOLON_TOKEN_URL, "
                f"{PREFIX}SKOLON_CLIENT_ID and {PREFIX}SKOLON_CLIENT_SECRET (missing: {', '.join(missing)})"
            )
    return faults


class _Environment(FileAwareEnv):
    """Takes what is blank for what is not set; what cannot be a value is one fault among the others."""

    def _get_value(self, env_key: str, default: object) -> Any:
        try:
            value = self._text(env_key)
        except UnreadableFileError as error:
            self._errors[f"{env_key}{self.file_suffix}"].append(str(error))
            return default
        if not value:
            return default
        fault = text_fault(value)
        if fault is not None:
            self._errors[env_key].append(fault)
            return default
        return value

    def _text(self, env_key: str) -> str:
        file = os.environ.get(f"{env_key}{self.file_suffix}", "").strip()
        return read_text_file(file) if file else os.environ.get(env_key, "").strip()


def _keys(value: list[str]) -> None:
    for position, key in enumerate(value, start=1):
        if not is_encryption_key(key):
            raise ValidationError(
                f"Key {position} is no Fernet key (32 bytes in URL-safe base64); "
                "'update-sync new-key' makes one."
            )
        if key in value[: position - 1]:
            raise ValidationError(f"Key {position} is there twice.")
