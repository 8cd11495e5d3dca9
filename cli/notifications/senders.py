"""Makes what notifications are delivered with, out of the environment."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from administration.notifications.senders import Senders

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from schemas.settings import Settings
    from store.store import Store


def own_networks(settings: Settings) -> list[IPv4Network | IPv6Network]:
    """Return the operator's own networks, which webhooks may go to."""
    return [ip_network(each) for each in settings.webhook_networks]


def open_senders(settings: Settings, store: Store) -> Senders:
    """Return what notifications are delivered with; nothing connects yet."""
    from clients.notifications.mail import MailServer  # noqa: PLC0415 - slow to import, seldom needed
    from clients.notifications.webhook import WebhookSender  # noqa: PLC0415 - as above
    from hub.notifications.mail import MailWriter  # noqa: PLC0415 - as above

    mail = None
    if settings.smtp_url:
        mail = MailServer(url=settings.smtp_url, sender=settings.mail_from, ca_bundle=settings.ca_bundle)
    return Senders(
        mail=mail,
        webhooks=WebhookSender(networks=own_networks(settings), ca_bundle=settings.ca_bundle),
        writer=MailWriter(store),
        address=settings.hub_url,
    )
