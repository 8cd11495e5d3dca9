"""The environment, read once, checked together, every fault reported at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from environs import EnvValidationError, FileAwareEnv, ValidationError, validate

from schemas.errors import InvalidSettingsError
from schemas.faults import fault_lines
from schemas.sealing import is_key

if TYPE_CHECKING:
    from collections.abc import Collection

PREFIX: Final = "UPDATE_SYNC_"

#: Where plain HTTP is let through, because nothing leaves the machine.
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Need(Enum):
    """What a process cannot do without; what it does not need may be left out of its environment."""

    DATABASE = auto()
    BROKER = auto()
    KEYS = auto()
    SKOLON = auto()


_VARIABLES: Final = {
    Need.DATABASE: ("DATABASE_URL",),
    Need.BROKER: ("AMQP_URL",),
    Need.KEYS: ("SECRET_KEYS",),
    Need.SKOLON: ("SKOLON_SCIM_URL",),
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
    console_host: str = "127.0.0.1"
    console_port: int = 8080
    log_format: str = "console"

    def __repr__(self) -> str:
        """Show nothing: some of the values are secrets, and URLs hold passwords."""
        return "<Settings>"


def read_settings(needs: Collection[Need] = tuple(Need)) -> Settings:
    """Read `UPDATE_SYNC_…` (or, for a value kept in a file, `UPDATE_SYNC_…_FILE`).

    A blank value is none: that is how compose files pass on what is not set. Raises
    `InvalidSettingsError` that lists every fault of every variable, whether needed or not,
    and every variable that `needs` asks for and that is missing.
    """
    env = _Environment(eager=False, prefix=PREFIX, strip_whitespace=True)
    settings = Settings(
        amqp_url=env.str("AMQP_URL", "", validate=_url("amqp", "amqps")),
        database_url=env.str("DATABASE_URL", "", validate=_database_url),
        secret_keys=tuple(env.list("SECRET_KEYS", [], validate=_keys) or ()),
        skolon_scim_url=env.str("SKOLON_SCIM_URL", "", validate=[_url("https", "http"), _organisation]),
        skolon_token=env.str("SKOLON_TOKEN", ""),
        skolon_token_url=env.str("SKOLON_TOKEN_URL", "", validate=_url("https", "http")),
        skolon_client_id=env.str("SKOLON_CLIENT_ID", ""),
        skolon_client_secret=env.str("SKOLON_CLIENT_SECRET", ""),
        graph_url=env.str("GRAPH_URL", "", validate=_url("https", "http")) or Settings.graph_url,
        entra_authority=env.str("ENTRA_AUTHORITY", "", validate=_url("https")) or Settings.entra_authority,
        ca_bundle=env.str("CA_BUNDLE", "", validate=_file) or None,
        console_host=env.str("CONSOLE_HOST", Settings.console_host),
        console_port=env.int(
            "CONSOLE_PORT", Settings.console_port, validate=validate.Range(min=0, max=65535)
        ),
        log_format=env.str("LOG_FORMAT", Settings.log_format, validate=validate.OneOf(["console", "json"])),
    )
    faults: list[str] = []
    try:
        env.seal()
    except EnvValidationError as error:
        faults += fault_lines(error.error_messages)
    else:
        # Whatever is set was taken, so only what is missing is left to be said.
        faults += _missing(settings, needs)
    if faults:
        raise InvalidSettingsError("The environment is not complete or not right:", faults)
    return settings


def _missing(settings: Settings, needs: Collection[Need]) -> list[str]:
    faults = [
        f"{PREFIX}{name}: is not set"
        for need in needs
        for name in _VARIABLES[need]
        if not getattr(settings, name.lower())
    ]
    if Need.SKOLON in needs and not settings.skolon_token:
        together = ("SKOLON_TOKEN_URL", "SKOLON_CLIENT_ID", "SKOLON_CLIENT_SECRET")
        missing = [f"{PREFIX}{name}" for name in together if not getattr(settings, name.lower())]
        if missing:
            faults.append(
                f"{PREFIX}SKOLON_TOKEN: is not set; set it, or all of {PREFIX}SKOLON_TOKEN_URL, "
                f"{PREFIX}SKOLON_CLIENT_ID and {PREFIX}SKOLON_CLIENT_SECRET (missing: {', '.join(missing)})"
            )
    return faults


class _Environment(FileAwareEnv):
    """Takes what is blank for what is not set, and an unreadable file for one fault among the others."""

    def _get_value(self, env_key: str, default: object) -> Any:
        try:
            value = super()._get_value(env_key, default)
        except ValueError:
            self._errors[f"{env_key}{self.file_suffix}"].append("Not a file of text that can be read.")
            return default
        return default if isinstance(value, str) and not value.strip() else value


class _url:  # noqa: N801 - used like marshmallow's own validators
    """Take a URL of one of the schemes; plain HTTP only to this machine."""

    def __init__(self, *schemes: str) -> None:
        self._schemes = schemes

    def __call__(self, value: str) -> None:
        if not value:
            return
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise ValidationError("Not a valid URL.") from None
        if parts.scheme not in self._schemes or not parts.hostname:
            starts = " or ".join(f"{scheme}://" for scheme in self._schemes)
            raise ValidationError(f"Not a URL that starts with {starts}.")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValidationError("Personal data must not travel in the clear: use https://.")


def _database_url(value: str) -> None:
    if value and not value.startswith(("postgresql://", "postgresql+psycopg://", "sqlite://")):
        raise ValidationError("Not a URL that starts with postgresql:// or sqlite://.")


def _organisation(value: str) -> None:
    if value and "{organisation}" not in value:
        raise ValidationError("Does not say where the organisation goes: {organisation} is missing.")


def _keys(value: list[str]) -> None:
    for position, key in enumerate(value, start=1):
        if not is_key(key):
            raise ValidationError(
                f"Key {position} is no Fernet key (32 bytes in URL-safe base64); "
                "'update-sync new-key' makes one."
            )


def _file(value: str) -> None:
    if value and not Path(value).is_file():
        raise ValidationError("There is no such file.")
