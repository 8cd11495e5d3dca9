"""Handles triggers: each opens a run, or joins one."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import structlog

from queues.message import tenant_page_message
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.errors import InvalidTenantError, PermanentError, UsageError
from schemas.messages.authentication import SCHEDULED_PREFIX
from schemas.messages.messages import MAX_EVENT_ID_LENGTH, TenantPage, load_cloud_event, load_sync_request
from schemas.outcomes import Stage
from schemas.tenants.settings_override import resolve_override

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from schemas.messages.messages import SyncRequest
    from store.store import Store

_log = structlog.get_logger(__name__)


class RunStarter:
    """Opens runs for triggers; may be shared by threads."""

    def __init__(self, *, store: Store, publisher: Publisher) -> None:
        self._triggers = store.triggers
        self._tenants = store.tenants
        self._pauses = store.schedule_pauses
        self._publisher = publisher
        self._message_cipher = store.message_cipher

    def start(self, event_id: str, args: tuple[object, ...], data: dict[str, object]) -> None:
        """Open the run that a trigger asks for, and publish the message for its first page.

        `data` holds the fields of the trigger, or a whole CloudEvent as `event`. A trigger that
        an open run satisfies, or a duplicate, opens none, nor does one of a schedule that is paused.
        """
        if args:
            raise PermanentError(
                Reason.INVALID_TRIGGER, Stage.RECEIVE, Detail(DetailKind.TRIGGER_FIELDS_WITHOUT_NAMES)
            )
        if not event_id.isprintable() or len(event_id) > MAX_EVENT_ID_LENGTH:
            raise PermanentError(
                Reason.INVALID_TRIGGER,
                Stage.RECEIVE,
                Detail(DetailKind.TRIGGER_ID_UNUSABLE, limit=MAX_EVENT_ID_LENGTH),
            )
        is_event = "event" in data
        request = load_sync_request(load_cloud_event(data["event"]) if is_event else data)
        if not self._message_cipher.is_allowed(request, event_id, {} if is_event else data):
            raise PermanentError(
                Reason.INVALID_TRIGGER,
                Stage.RECEIVE,
                Detail(DetailKind.TRIGGER_NOT_ALLOWED),
            )
        if event_id.startswith(SCHEDULED_PREFIX) and self._pauses.is_paused(
            request.tenant, dt.datetime.now(dt.UTC)
        ):
            # It was due before the schedule was paused, and has waited in the queue.
            _log.info("scheduled_trigger_dropped", tenant=request.tenant, event_id=event_id)
            return
        opened = self._triggers.open(self._checked(request), event_id)
        run = opened.run
        _log.info(
            "run_opened" if opened.new else "trigger_merged",
            tenant=request.tenant,
            run=run.id,
            event_id=event_id,
            mode=str(run.mode),
            dry_run=run.dry_run,
        )
        if opened.needs_first_page:
            tenant = self._tenants.outline(request.tenant)
            page = TenantPage(
                tenant=request.tenant, run=opened.run.id, attempt=opened.run.attempt, number=1, link=None
            )
            message = tenant_page_message(
                self._message_cipher.sign_page(page),
                give_up_after_hours=tenant.give_up_after_hours,
                is_quick=run.is_quick,
            )
            self._publisher.publish([message])

    def _checked(self, request: SyncRequest) -> SyncRequest:
        """Return the request with its settings completed from those that are saved now."""
        if request.settings is None:
            return request
        try:
            tenant = self._tenants.settings(request.tenant)
            return dataclasses.replace(request, settings=resolve_override(tenant, dict(request.settings)))
        except InvalidTenantError as error:
            faults = joined(Detail(DetailKind.INVALID_SETTING, fault=fault) for fault in error.faults)
            raise PermanentError(Reason.INVALID_TRIGGER, Stage.RECEIVE, faults) from None
        except UsageError:
            # A tenant that is not there: opening the run says so.
            return request
