"""Sends mail by SMTP (RFC 5321) with Python's own client: encrypted, unless the server is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from schemas.notifications.delivery import Answer, AnswerKind
from schemas.setting_validators import LOOPBACK

if TYPE_CHECKING:
    from email.message import EmailMessage

#: Seconds for each step of a conversation.
TIMEOUT: Final = 10.0

#: The ports of submission (RFC 8314): with STARTTLS, and with TLS from the start.
_PORTS: Final = {"smtp": 587, "smtps": 465}

#: From here on a server refuses for good (RFC 5321 section 4.2.1).
_FOR_GOOD: Final = 500


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """A mail server by its URL, such as `smtp://user:password@mail.example:587`, and the sender's address.

    With smtps:// it speaks TLS from the start, and with smtp:// after STARTTLS, which a server elsewhere must
    know.
    """

    url: str
    sender: str
    ca_bundle: str | None = None
    timeout: float = TIMEOUT

    def __repr__(self) -> str:
        """Show nothing: the URL has a password."""
        return "<MailServer>"

    def send(self, message: EmailMessage, recipient: str) -> Answer:
        """Send a message to one recipient, and return what the server has answered."""
        try:
            with self._connection() as connection:
                connection.send_message(message, self.sender, [recipient])
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return _answer(error)
        return Answer(kind=AnswerKind.ACCEPTED, code=250)

    def _connection(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        # Who says hello: Python would look this machine's name up, and tell it.
        ours = self.sender.rpartition("@")[2]
        connection: smtplib.SMTP
        if parts.scheme == "smtps":
            connection = smtplib.SMTP_SSL(
                host, port, local_hostname=ours, timeout=self.timeout, context=self._trust()
            )
        else:
            connection = smtplib.SMTP(host, port, local_hostname=ours, timeout=self.timeout)
        try:
            if parts.scheme == "smtp":
                connection.ehlo()
                if host not in LOOPBACK or connection.has_extn("starttls"):
                    connection.starttls(context=self._trust())
            if parts.username:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            with suppress(OSError):
                connection.close()
            raise
        return connection

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        context.load_default_certs()
        if self.ca_bundle is not None:
            context.load_verify_locations(self.ca_bundle)
        return context


def _answer(error: Exception) -> Answer:
    """Return what an error of the client means; its text is dropped, as it may name an address."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return _refused(next((code for code, _ in error.recipients.values()), None))
        case smtplib.SMTPAuthenticationError():
            return Answer(kind=AnswerKind.SIGN_IN_REFUSED, code=error.smtp_code)
        case smtplib.SMTPResponseException():
            return _refused(error.smtp_code)
        case smtplib.SMTPNotSupportedError() | ssl.SSLError():
            # It knows no STARTTLS, or no way to sign in, or its certificate is not trusted.
            return Answer(kind=AnswerKind.NO_TLS)
        case TimeoutError():
            return Answer(kind=AnswerKind.TIMEOUT)
        case _:
            return Answer(kind=AnswerKind.NO_CONNECTION)


def _refused(code: int | None) -> Answer:
    """Return that a server refused; a code of 5xx is for good, and one of 4xx for now."""
    return Answer(kind=AnswerKind.REFUSED, code=code, is_final=code is not None and code >= _FOR_GOOD)
