"""What the pages are made of: put together once, and handed to the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.hub.sign_in import SignIn
    from administration.runs.idle import IdleCheck
    from store.store import Store

#: Under this name the app keeps its services.
EXTENSION = "update_sync_hub"


@dataclass(frozen=True, kw_only=True)
class HubServices:
    """The services of the pages. `cookie_keys` sign cookies: the first makes signatures, all are accepted.

    `idle` asks RabbitMQ why open runs come no further; without it the pages do not say that.
    """

    store: Store
    sign_in: SignIn
    cookie_keys: Sequence[bytes]
    idle: IdleCheck | None = None


def hub_services() -> HubServices:
    """Return the services of the app that answers the current request."""
    return cast("HubServices", current_app.extensions[EXTENSION])
