"""A trigger becomes a run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import structlog

from queues.message import tenant_page_message
from schemas.errors import InvalidTenantError, PermanentError, WrongUseError
from schemas.messages.messages import LONGEST_EVENT_ID, TenantPage, load_cloud_event, load_tenant_sync
from schemas.outcomes import Reason, Stage
from schemas.tenants.settings_override import trial_of

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from schemas.messages.messages import TenantSync
    from store.store import Store

_log = structlog.get_logger(__name__)


class RunStarter:
    """Opens runs for triggers; may be shared by threads."""

    def __init__(self, *, store: Store, publisher: Publisher) -> None:
        self._triggers = store.triggers
        self._tenants = store.tenants
        self._publisher = publisher
        self._seals = store.seals

    def start(self, event_id: str, args: tuple[object, ...], data: dict[str, object]) -> None:
        """Open the run that a trigger asks for and have its first page read.

        `data` holds the fields of the trigger, or a whole CloudEvent as `event`. A trigger that is
        met by an open run, or that came before, opens none.
        """
        if args:
            raise PermanentError(Reason.INVALID_TRIGGER, Stage.RECEIVE, "the fields of a trigger have names")
        if not event_id.isprintable() or len(event_id) > LONGEST_EVENT_ID:
            raise PermanentError(
                Reason.INVALID_TRIGGER,
                Stage.RECEIVE,
                f"the trigger's id must be {LONGEST_EVENT_ID} printable characters at most",
            )
        is_event = "event" in data
        wish = load_tenant_sync(load_cloud_event(data["event"]) if is_event else data)
        if not self._seals.is_allowed(wish, event_id, {} if is_event else data):
            raise PermanentError(
                Reason.INVALID_TRIGGER,
                Stage.RECEIVE,
                "the mode undo, accept, settings and ids of the scheduler are not taken from clients; "
                "'update-sync runs undo', 'tenants preview' and 'scheduler' ask for them",
            )
        opened = self._triggers.open(self._checked(wish), event_id)
        _log.info("run opened" if opened.new else "run joined", tenant=wish.tenant, run=opened.run.id)
        if opened.needs_first_page:
            tenant = self._tenants.outline(wish.tenant)
            page = TenantPage(
                tenant=wish.tenant, run=opened.run.id, scan=opened.run.scan, number=1, link=None
            )
            message = tenant_page_message(
                self._seals.page(page), give_up_after_hours=tenant.give_up_after_hours
            )
            self._publisher.publish([message])

    def _checked(self, wish: TenantSync) -> TenantSync:
        """Return the wish with all the settings that it tries, as they are at this moment."""
        if wish.settings is None:
            return wish
        try:
            tenant = self._tenants.settings(wish.tenant)
            return dataclasses.replace(wish, settings=trial_of(tenant, dict(wish.settings)))
        except InvalidTenantError as error:
            faults = "; ".join(f"settings.{fault}" for fault in error.faults)
            raise PermanentError(Reason.INVALID_TRIGGER, Stage.RECEIVE, faults) from None
        except WrongUseError:
            # A tenant that is not there: opening the run says so.
            return wish
