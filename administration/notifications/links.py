"""Where in the Data Hub a notification leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.notifications.news import Event, NewsKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.notifications.delivery import Notification


_RUNS: Final = "runs/"

_PAGES: Final[Mapping[NewsKind | Event, str]] = {
    NewsKind.RUN_HALTED: _RUNS,
    NewsKind.QUESTION: _RUNS,
    NewsKind.NOT_CONFIRMED: _RUNS,
    NewsKind.SECRET_EXPIRES: "set-up/",
    Event.REPAIR_LIST: "repair-list/",
    Event.TEST: "notifications/",
}


def page_path(notification: Notification) -> str:
    """Return the path of the page that says more."""
    if notification.tenant is None:
        return "/"
    page = _PAGES.get(notification.kind or notification.event, "attention/")
    run = next((each.run for each in notification.problems if each.run is not None), None)
    return f"/tenants/{notification.tenant}/{page}{run if page == _RUNS and run is not None else ''}"


def link_to(notification: Notification, address: str) -> str | None:
    """Return the link to that page; None if the Data Hub's address is not known."""
    return f"{address.rstrip('/')}{page_path(notification)}" if address else None
