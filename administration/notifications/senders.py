"""What notifications are delivered with: the mail server, webhooks, and the words of mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from email.message import EmailMessage

    from clients.notifications.addresses import Networks
    from clients.notifications.mail import MailServer
    from clients.notifications.webhook import WebhookSender
    from schemas.notifications.delivery import Notification
    from schemas.reports.remedy import Language


class WritesMail(Protocol):
    """Writes mail in a language: what is to be told, in words that a school uses."""

    def write(self, notification: Notification, language: Language, link: str | None) -> EmailMessage:
        """Return a message without a receiver. Raises `TransientError` if a list cannot be read just now."""


@dataclass(frozen=True, kw_only=True)
class Senders:
    """What notifications are delivered with.

    Without a mail server no mail is sent. Links begin with the `address` of the Data Hub; there are none if
    it is blank.
    """

    mail: MailServer | None
    webhooks: WebhookSender
    writer: WritesMail
    address: str = ""

    @property
    def networks(self) -> Networks:
        """The operator's own networks, which webhooks may go to."""
        return self.webhooks.networks
