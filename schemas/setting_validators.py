"""Validators of the environment's values: each says what is wrong, and never the value (promise P6)."""

from __future__ import annotations

import ipaddress
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from environs import ValidationError

from schemas.hub.member import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Where nothing leaves the machine.
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

#: Maximum bytes of a file with a value: a key, a token or a URL is far shorter.
MAX_FILE_BYTES: Final = 64 * 1024

_ORGANISATION: Final = "{organisation}"

#: What can be said in a header behind "Bearer" (RFC 9110 section 5.5, without white space).
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]+\Z")

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")

#: As much of an e-mail address as tells it from a slip.
_EMAIL: Final = re.compile(r"[^@\s<>,;:]+@[^@\s<>,;:]+\.[^@\s<>,;:]+\Z", re.ASCII)

_POSTGRESQL: Final = ("postgresql", "postgresql+psycopg")


class UnreadableFileError(ValueError):
    """A value cannot be read from its file; the text says why."""


def read_text_file(path: str) -> str:
    """Return the text of a file, stripped; raise `UnreadableFileError` if there is none."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        text = content.decode().strip()
    except (OSError, ValueError):
        raise UnreadableFileError("Not a file of text that can be read.") from None
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableFileError(f"The file is larger than {MAX_FILE_BYTES // 1024} KiB.")
    if not text:
        raise UnreadableFileError("The file is empty.")
    return text


def text_fault(value: str) -> str | None:
    """Say what keeps a text from being any setting, None if nothing does."""
    if any(sign in value for sign in "\r\n\u2028\u2029"):
        return "Holds a line break."
    # A space can be printed; what else cannot has got in by accident.
    if not value.isprintable():
        return "Holds a control character, or another one that cannot be printed."
    return None


def text_faults(data: object) -> dict[str, Any]:
    """Return what is wrong with the texts in JSON's objects and lists, as marshmallow nests its messages."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, dict):
        items = data.items()
    elif isinstance(data, list):
        items = enumerate(data)
    found: dict[str, Any] = {}
    for name, value in items:
        fault = [said] if isinstance(value, str) and (said := text_fault(value)) else text_faults(value)
        if fault:
            found[str(name)] = fault
    return found


class url:  # noqa: N801 - used like marshmallow's own validators
    """Take a URL of one of the schemes; plain HTTP only to this machine.

    `may_have` names what else it may have: a "user" (with a password), or a "query".
    """

    def __init__(self, *schemes: str, may_have: tuple[str, ...] = ()) -> None:
        self._schemes = schemes
        self._may_have = may_have

    def __call__(self, value: str) -> None:
        """Raise `ValidationError` for what is not taken."""
        if not value:
            return
        parts = _split(value)
        if parts.scheme not in self._schemes or not parts.hostname:
            starts = " or ".join(f"{scheme}://" for scheme in self._schemes)
            raise ValidationError(f"Not a URL that starts with {starts}.")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValidationError("Personal data must not travel in the clear: use https://.")
        if "user" not in self._may_have and "@" in parts.netloc:
            raise ValidationError("Names a user in front of an @: credentials have variables of their own.")
        if "query" not in self._may_have and "?" in value:
            raise ValidationError("Has a query (behind a ?), which does not belong there.")
        if "#" in value:
            raise ValidationError("Has a fragment (behind a #); in a password that sign is %23.")


def database_url(value: str) -> None:
    """Take the address of a database."""
    if not value:
        return
    scheme = value.partition("://")[0]
    if scheme not in (*_POSTGRESQL, "sqlite") or "://" not in value:
        raise ValidationError("Not a URL that starts with postgresql:// or sqlite://.")
    if scheme in _POSTGRESQL:
        _split(value)


def organisation(value: str) -> None:
    """Take a URL that says once where the organisation goes."""
    count = value.count(_ORGANISATION)
    if value and not count:
        raise ValidationError("Does not say where the organisation goes: {organisation} is missing.")
    if count > 1:
        raise ValidationError("Says more than once where the organisation goes: {organisation}.")
    if set("{}") & set(value.replace(_ORGANISATION, "")):
        raise ValidationError("Has braces beside those of {organisation}.")


def without_path(value: str) -> None:
    """Take a URL that has nothing behind its host and port."""
    if _split(value).path.strip("/"):
        raise ValidationError("Has a path behind the host, which does not belong there.")


def directory_id(value: str) -> None:
    """Take the id of a directory in Entra."""
    if value and not _GUID.match(value):
        raise ValidationError("Not a directory id, such as 0b1c2d3e-0000-4000-8000-000000000000.")


def hub_roles(value: list[str]) -> None:
    """Take pairs of an app role or group of Entra and a role of the Data Hub, such as `readers=reader`."""
    for position, pair in enumerate(value, start=1):
        claim, _, role = pair.rpartition("=")
        if not claim.strip() or role.strip() not in list(Role):
            known = ", ".join(Role)
            raise ValidationError(f"Entry {position} is not NAME=ROLE, where ROLE is one of: {known}.")


def networks(value: list[str]) -> None:
    """Take IP addresses, and networks of them, such as 10.0.0.0/8."""
    for position, network in enumerate(value, start=1):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise ValidationError(
                f"Entry {position} is no IP address, and no network such as 10.0.0.0/8."
            ) from None


def support_address(value: str) -> None:
    """Take where people get help: an e-mail address, or a page."""
    if not value or _EMAIL.match(value):
        return
    if "://" not in value:
        raise ValidationError("Neither an e-mail address nor a URL that starts with https://.")
    url("https", may_have=("query",))(value)


def mail_address(value: str) -> None:
    """Take an e-mail address, without a name before it."""
    if value and not _EMAIL.match(value):
        raise ValidationError("Not an e-mail address, such as data-hub@example.se.")


def header_value(value: str) -> None:
    """Take what can be sent in an HTTP header."""
    if value and not _HEADER_VALUE.match(value):
        raise ValidationError("Only visible ASCII characters can be sent as a token: no spaces, no å.")


def certificates(value: str) -> None:
    """Take the path of a file that holds at least one certificate in PEM."""
    if not value:
        return
    if not Path(value).is_file():
        raise ValidationError("There is no such file.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
    except ssl.SSLError:
        raise ValidationError("There is no certificate in it; a file in PEM is wanted.") from None
    except OSError:
        raise ValidationError("It cannot be read.") from None


def with_root_certificates(database_url: str, ca_bundle: str | None) -> str:
    """Return a PostgreSQL address that trusts `ca_bundle`, if it verifies certificates without naming any.

    libpq takes one file (`sslrootcert`), and looks at it if `sslmode` is verify-ca or verify-full.
    """
    if not ca_bundle or not database_url.startswith("postgresql"):
        return database_url
    parts = urlsplit(database_url)
    options = dict(parse_qsl(parts.query))
    if options.get("sslmode") not in {"verify-ca", "verify-full"} or "sslrootcert" in options:
        return database_url
    return urlunsplit(parts._replace(query=f"{parts.query}&{urlencode({'sslrootcert': ca_bundle})}"))


def is_unencrypted(address: str) -> bool:
    """Say whether what is sent to a server's address can be read on the network on its way."""
    parts = urlsplit(address)
    if parts.hostname is None or parts.hostname in LOOPBACK:
        return False
    if parts.scheme in _POSTGRESQL:
        return parse_qs(parts.query).get("sslmode") == ["disable"]
    return parts.scheme == "amqp"


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValidationError("Not a valid URL.") from None
    if " " in value:
        raise ValidationError("Not a valid URL: it has a space in it.")
    return parts
