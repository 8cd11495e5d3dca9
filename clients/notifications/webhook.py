"""Sends webhooks that their receivers can trust, by the rules of https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from clients.http.errors import FailureCategory, TransportFailure
from clients.http.limits import TOKEN_LIMITS
from clients.http.session import HttpSession
from clients.notifications.addresses import AddressRefusedError, PublicAdapter
from schemas.errors import FailureKind
from schemas.notifications.delivery import Answer, AnswerKind

if TYPE_CHECKING:
    import datetime as dt
    from typing import Any

    from requests.sessions import _Settings

    from clients.notifications.addresses import Networks

#: Seconds for the whole of a request: the specification asks senders for 15 to 30.
SECONDS: Final = 15.0

#: What a secret begins with, and its bytes.
_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32

_SUCCESS: Final = range(200, 300)

#: The receiver says that it is gone for good.
_GONE: Final = 410

_KINDS: Final = {
    FailureKind.TIMEOUT: AnswerKind.TIMEOUT,
    FailureKind.TLS: AnswerKind.NO_TLS,
}


class _DirectSession(HttpSession):
    """A session that asks no proxy, which would look up names by itself."""

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> _Settings:
        """Return what holds for a request, without proxies."""
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        settings["proxies"] = {}
        return settings


class WebhookSender:
    """Sends to public addresses by TLS, and to the operator's own `networks` also in the clear."""

    def __init__(
        self, *, networks: Networks = (), ca_bundle: str | None = None, seconds: float = SECONDS
    ) -> None:
        #: The operator's own networks.
        self.networks = networks
        self._session = _DirectSession(
            methods={"POST"}, ca_bundle=ca_bundle, limits=TOKEN_LIMITS, seconds=seconds
        )
        for scheme in ("https://", "http://"):
            adapter = PublicAdapter(
                {"POST"}, networks=networks, max_bytes=TOKEN_LIMITS.size, ca_bundle=ca_bundle
            )
            self._session.mount(scheme, adapter)

    def send(self, url: str, secret: str, message_id: str, body: bytes, at: dt.datetime) -> Answer:
        """Send a body (JSON) that was signed at the aware time `at`, and return what was answered."""
        timestamp = int(at.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, message_id, timestamp, body),
        }
        try:
            answer = self._session.try_request("POST", url, data=body, headers=headers)
        except AddressRefusedError:
            return Answer(kind=AnswerKind.ADDRESS_REFUSED)
        if isinstance(answer, TransportFailure):
            if answer.category is FailureCategory.ADDRESS:
                return Answer(kind=AnswerKind.ADDRESS_REFUSED)
            kind = AnswerKind.NO_CONNECTION if answer.kind is None else _KINDS.get(answer.kind)
            return Answer(kind=kind or AnswerKind.NO_CONNECTION)
        if answer.status_code in _SUCCESS:
            return Answer(kind=AnswerKind.ACCEPTED, code=answer.status_code)
        return Answer(kind=AnswerKind.REFUSED, code=answer.status_code, is_final=answer.status_code == _GONE)


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a body (version 1: HMAC-SHA256 over id, time and body, in base64)."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def new_secret() -> str:
    """Return a fresh secret, as receivers take it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
