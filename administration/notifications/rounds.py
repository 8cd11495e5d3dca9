"""Finds out what there is to tell, and tells it: what the scheduler does each minute."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from administration.notifications.delivery import deliver_due
from administration.notifications.repair_list import users_by_owner
from administration.tenants.status import tenant_statuses
from schemas.notifications.delivery import Channel
from schemas.notifications.news import Event, change_of
from schemas.notifications.settings import OPERATORS, OPERATORS_TIME_ZONE, REPAIR_OWNERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from administration.notifications.senders import Senders
    from schemas.notifications.news import Change, NewsKind, Told
    from schemas.notifications.settings import SavedSettings
    from schemas.tenants.tenant_status import TenantStatus
    from store.store import Store

#: How long what was told is kept.
_KEPT: Final = dt.timedelta(days=90)


def tick(now: dt.datetime, *, senders: Senders, store: Store) -> int:
    """Tell what there is to tell at the aware time `now`, and deliver what is due; return how much was sent.

    Several processes may do it: each cause is told once. Raises `TransientError` (database); nothing is
    lost by that, nor when the process is killed.
    """
    with store.notification_outbox.try_lock() as mine:
        if mine:
            _tell(now, store)
    # What was told just now is due at once.
    return deliver_due(max(now, dt.datetime.now(dt.UTC)), senders=senders, store=store)


def _tell(now: dt.datetime, store: Store) -> None:
    zones = {each.key: each.time_zone for each in store.tenants.outlines()}
    audiences = [each for each in store.notification_settings.active() if _is_there(each, zones)]
    awake = [each for each in audiences if not each.settings.is_quiet(now, _zone(each, zones))]
    told = [each for each in awake if each.settings.tells_problems]
    if told:
        keys = None if any(each.audience == OPERATORS for each in told) else [each.audience for each in told]
        statuses = {each.tenant: each for each in tenant_statuses(keys, store=store, now=now)}
        for each in told:
            _tell_audience(each, statuses, now, store)
    for each in awake:
        if each.audience != OPERATORS:
            _send_repair_lists(each, now, _zone(each, zones), store)
    store.notification_outbox.prune(now - _KEPT)


def _is_there(saved: SavedSettings, zones: Mapping[str, str]) -> bool:
    # Its tenant may have been removed a moment ago.
    return saved.audience == OPERATORS or saved.audience in zones


def _zone(saved: SavedSettings, zones: Mapping[str, str]) -> str:
    return OPERATORS_TIME_ZONE if saved.audience == OPERATORS else zones[saved.audience]


def _tell_audience(
    saved: SavedSettings, statuses: Mapping[str, TenantStatus], now: dt.datetime, store: Store
) -> None:
    tenants: Collection[str] = statuses if saved.audience == OPERATORS else [saved.audience]

    def decide(tenant: str, told: Mapping[NewsKind, Told]) -> Change:
        return change_of(statuses[tenant], told, most_failed=saved.settings.most_failed, today=now.date())

    store.notification_outbox.tell(saved, list(tenants), decide)


def _send_repair_lists(saved: SavedSettings, now: dt.datetime, time_zone: str, store: Store) -> None:
    """Have the lists of the week sent to those who must act; a list without users is not sent."""
    due = saved.settings.repair_due(now, time_zone)
    if due is None or not store.notification_settings.begin_repair_lists(saved.audience, due):
        return
    found = users_by_owner(saved.audience, now=now, store=store)
    for owner in REPAIR_OWNERS:
        receivers = [(Channel.MAIL, each) for each in saved.settings.repair_recipients.get(owner, ())]
        if receivers and (users := found.get(owner)):
            store.notification_outbox.add(
                saved.audience,
                Event.REPAIR_LIST,
                receivers,
                tenant=saved.audience,
                owner=owner,
                users=users,
            )
