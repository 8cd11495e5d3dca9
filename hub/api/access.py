"""Which routes of the API need a token that may act, and which any token of the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.hub.access import Access

if TYPE_CHECKING:
    from collections.abc import Mapping

API_ROUTES: Final[Mapping[str, Access]] = {
    "api.syncs": Access.API_TOKEN,
    "api.sync": Access.API_TOKEN,
    "api.runs": Access.API_TOKEN,
    "api.run": Access.API_TOKEN,
    "api.run_users": Access.API_TOKEN,
    "api.failures": Access.API_TOKEN,
    "api.failed_users": Access.API_TOKEN,
    "api.user": Access.API_TOKEN,
    "api.report": Access.API_TOKEN,
    "api_actions.start_plan": Access.API_TOKEN,
    "api_actions.start": Access.API_ACTION,
    "api_actions.sync_user": Access.API_ACTION,
    "api_actions.question": Access.API_TOKEN,
    "api_actions.resume": Access.API_ACTION,
    "api_actions.cancel": Access.API_ACTION,
    "api_actions.matches": Access.API_TOKEN,
    "api_actions.match": Access.API_TOKEN,
    "api_actions.effects": Access.API_TOKEN,
    "api_actions.decide": Access.API_ACTION,
    "api_actions.take_back": Access.API_ACTION,
    "api_actions.schedule": Access.API_TOKEN,
    "api_actions.schedule_times": Access.API_TOKEN,
    "api_actions.save_schedule": Access.API_ACTION,
    "api_actions.pause_schedule": Access.API_ACTION,
    "api_actions.resume_schedule": Access.API_ACTION,
    "api_actions.undo_offer": Access.API_TOKEN,
    "api_actions.undo": Access.API_ACTION,
    "api_actions.request_task": Access.API_ACTION,
    "api_actions.task": Access.API_TOKEN,
    "api_actions.task_users": Access.API_TOKEN,
    "api_actions.control_task": Access.API_ACTION,
    "api_actions.set_group_aside": Access.API_ACTION,
    "api_actions.have_group_back": Access.API_ACTION,
    "api_mapping.active": Access.API_TOKEN,
    "api_mapping.history": Access.API_TOKEN,
    "api_mapping.sources": Access.API_TOKEN,
    "api_mapping.restore": Access.API_ACTION,
    "api_mapping.drafts": Access.API_TOKEN,
    "api_mapping.make": Access.API_ACTION,
    "api_mapping.draft": Access.API_TOKEN,
    "api_mapping.change": Access.API_ACTION,
    "api_mapping.try_draft": Access.API_ACTION,
    "api_mapping.forecast": Access.API_TOKEN,
    "api_mapping.activate": Access.API_ACTION,
    "api_mapping.discard": Access.API_ACTION,
    "api_notifications.show": Access.API_TOKEN,
    "api_notifications.change": Access.API_ACTION,
    "api_notifications.test": Access.API_ACTION,
    "api_notifications.secret": Access.API_ACTION,
    "api_set_up.connection": Access.API_TOKEN,
    "api_set_up.enter_app": Access.API_ACTION,
    "api_set_up.enter_secret": Access.API_ACTION,
    "api_set_up.enter_certificate": Access.API_ACTION,
    "api_set_up.check": Access.API_ACTION,
    "api_set_up.switch": Access.API_ACTION,
}
