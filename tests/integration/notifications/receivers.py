"""A real mail server, and a receiver of webhooks that trusts no one, both on loopback."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from standardwebhooks.webhooks import Webhook

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"
SENDER = "data-hub@skolon.example"


class MailServer:
    """Takes mail, but for receivers that it refuses with a code; can be stopped, and started again."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.refused: dict[str, str] = {}
        self.port = 0
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._controller = Controller(self, hostname=HOST, port=self.port or _free_port())
        self._controller.start()
        self.port = self._controller.port

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @property
    def variables(self) -> dict[str, str]:
        """What the environment of a command needs for it."""
        return {
            "UPDATE_SYNC_SMTP_URL": f"smtp://{HOST}:{self.port}",
            "UPDATE_SYNC_MAIL_FROM": SENDER,
        }

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for _, mail in self.mails]

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: Any
    ) -> str:
        del server, session, rcpt_options
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - as above
        del server, session
        message = message_from_bytes(envelope.content, policy=default)
        self.mails += [(recipient, message) for recipient in envelope.rcpt_tos]
        return "250 OK"


class EncryptedMailServer(MailServer):
    """Takes mail by STARTTLS alone, from a user that has signed in; its authority is in a file."""

    USER, PASSWORD = "hub@mail", "right#pass:word"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        authority = trustme.CA()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self._bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(self._bundle)

    def start(self) -> None:
        self.port = _free_port()
        self._controller = Controller(
            self,
            hostname="localhost",
            port=self.port,
            tls_context=self._context,
            require_starttls=True,
            auth_required=True,
            authenticator=self._judge,
        )
        self._controller.start()

    def variables(self, password: str) -> dict[str, str]:  # type: ignore[override] # a password beside
        user, secret = quote(self.USER, safe=""), quote(password, safe="")
        return {
            "UPDATE_SYNC_SMTP_URL": f"smtp://{user}:{secret}@localhost:{self.port}",
            "UPDATE_SYNC_MAIL_FROM": SENDER,
            "UPDATE_SYNC_CA_BUNDLE": str(self._bundle),
        }

    def _judge(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        del server, session, envelope, mechanism
        is_right = (data.login, data.password) == (self.USER.encode(), self.PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


class WebhookReceiver:
    """Takes webhooks whose signature the specification's own library finds right; others are a fault."""

    def __init__(self) -> None:
        self.secret = ""
        self.bodies: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                # It raises if anything was changed on the way, or was made long ago.
                Webhook(receiver.secret).verify(body, dict(self.headers))
                receiver.bodies.append(json.loads(body))
                receiver.ids.append(self.headers["webhook-id"])
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])
