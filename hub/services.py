"""What the pages are made of: put together once, and handed to the app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import current_app

from hub.recent_order import RecentOrder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

    from administration.hub.entra_sign_in import EntraSignIn
    from administration.hub.sign_in import SignIn
    from administration.notifications.senders import Senders
    from administration.runs.idle import IdleCheck
    from clients.gateways import Gateways
    from clients.notifications.addresses import Networks
    from queues.interfaces import ReplayBroker
    from store.store import Store

#: Under this name the app keeps its services.
EXTENSION = "update_sync_hub"


@dataclass(frozen=True, kw_only=True)
class HubServices:
    """The services of the pages. `cookie_keys` sign cookies: the first makes signatures, all are accepted.

    `gateways` ask Entra and Skolon about a user that is looked up; without them the pages know what runs
    recorded. `secret_keys` are needed to find a recorded user by EPPN. `idle` asks RabbitMQ why open runs
    come no further; without it the pages do not say that. The `broker` takes what members ask for; without it
    nothing can be started. The `proxies` are believed about the addresses of browsers. Without `entra` links
    alone sign in. `order` remembers the order of the tenants. `address` is the public one, blank if it is not
    set: then links have the address that the browser asks for. `support` is where members get help, an e-mail
    address or a page, blank if it is not set. The `senders` deliver tests of notifications.
    """

    store: Store
    sign_in: SignIn
    cookie_keys: Sequence[bytes]
    gateways: Gateways | None = None
    secret_keys: Sequence[str] = ()
    idle: IdleCheck | None = None
    broker: ReplayBroker | None = None
    proxies: Sequence[IPv4Network | IPv6Network] = ()
    entra: EntraSignIn | None = None
    order: RecentOrder = field(default_factory=RecentOrder)
    address: str = ""
    support: str = ""
    senders: Senders | None = None

    @property
    def networks(self) -> Networks:
        """The operator's own networks, which webhooks may go to."""
        return () if self.senders is None else self.senders.networks


def hub_services() -> HubServices:
    """Return the services of the app that answers the current request."""
    return cast("HubServices", current_app.extensions[EXTENSION])
