"""Publishes a request for a run as a trigger."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from queues.message import tenant_sync_message, with_proof
from schemas.errors import PermanentError, UsageError
from schemas.messages.authentication import is_privileged
from schemas.messages.messages import SyncRequest, load_sync_request

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from store.store import Store


def build_request(**fields: object) -> SyncRequest:
    """Return the request that the fields make; raise `UsageError` if a field is wrong."""
    try:
        return load_sync_request(fields)
    except PermanentError as error:
        raise UsageError(error.detail) from None


def check_enabled(tenant: str, *, store: Store) -> None:
    """Raise `UsageError` if a tenant is disabled, or there is none."""
    if not store.tenants.outline(tenant).enabled:
        raise UsageError(f"Tenant '{tenant}' is disabled; 'tenants set {tenant} --enabled' enables it.")


def check_may_start(request: SyncRequest, *, store: Store) -> None:
    """Raise `UsageError` if a producer would refuse the request: the guard's question is unanswered."""
    if not request.dry_run and request.settings is None:
        store.runs.check_guard_answered(request.tenant, except_run=request.reverts_run_id)


def publish_request(
    request: SyncRequest, *, store: Store, publisher: Publisher, event_id: str | None = None
) -> str:
    """Publish a request and return its event id, a new one if none is given.

    A request that only operators may make carries a proof, made with the keys, that it is ours. Of two with
    one event id the second one starts nothing.
    """
    event_id = event_id or str(uuid.uuid4())
    message = tenant_sync_message(request, event_id=event_id)
    if is_privileged(request, event_id):
        message = with_proof(message, store.message_cipher.sign_trigger)
    publisher.publish([message])
    return event_id
