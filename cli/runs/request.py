"""A wish for a run, published; and the wait for the run that it leads to."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import click

from cli.output import echo, print_result
from cli.runs.details import details_of
from cli.runs.report import exit_with, poll, show_run, wait_for_end
from queues.message import proven, tenant_sync_message
from schemas.errors import PermanentError
from schemas.messages.authentication import is_privileged
from schemas.messages.messages import SyncRequest, load_sync_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bootstrap.services import Services
    from schemas.runs.run import Run
    from store.runs.triggers import Triggers

#: Seconds after which it is worth saying that nobody has taken the message.
_PATIENCE: Final = 15.0


def wish_from(**fields: object) -> SyncRequest:
    """Return the wish that a command's options make; raise `UsageError` for what no trigger may hold."""
    try:
        return load_sync_request(fields)
    except PermanentError as error:
        raise click.UsageError(error.detail) from None


def publish_wish(
    request: SyncRequest, services: Services, more: Mapping[str, Any], *, wants_json: bool
) -> None:
    """Publish a wish, and say under which event id; `more` goes beside it into the JSON."""
    event_id = _publish(request, services)
    text = f"Published, as event {event_id}. 'update-sync runs list' shows the run."
    print_result(text, {"event": event_id, **more}, wants_json=wants_json)


def wish_and_wait(
    request: SyncRequest, services: Services, *, timeout: float | None, wants_json: bool
) -> None:
    """Publish a wish, wait until its run has ended (`timeout` in seconds), show it, and end the command."""
    ends = None if timeout is None else time.monotonic() + timeout
    run = run_that_came_of(request, _publish(request, services), services.store.triggers, timeout=timeout)
    left = None if ends is None else max(0.0, ends - time.monotonic())
    summary = wait_for_end(services.store.runs, run.id, quiet=wants_json, timeout=left)
    show_run(summary, wants_json=wants_json, details=details_of(run.id, services.store))
    exit_with(summary)


def _publish(request: SyncRequest, services: Services) -> str:
    event_id = str(uuid.uuid4())
    publish_trigger(request, event_id, services)
    return event_id


def publish_trigger(request: SyncRequest, event_id: str, services: Services) -> None:
    """Publish a wish; one that only operators may have goes with the proof that it is ours."""
    message = tenant_sync_message(request, event_id=event_id)
    if is_privileged(request, event_id):
        message = proven(message, services.store.seals.proof)
    services.broker.publish([message])


def run_that_came_of(
    request: SyncRequest, event_id: str, triggers: Triggers, *, timeout: float | None = None
) -> Run:
    """Wait until a published wish has led to a run, and return it; end the command after `timeout` s."""
    began, told = time.monotonic(), False
    # A run that tries settings waits for no other one.
    causes = (
        "a producer running"
        if request.settings is not None
        else "a producer running, or another run of the tenant open"
    )

    def check() -> Run | None:
        nonlocal told
        run = triggers.run_of(event_id)
        if run is None and not told and time.monotonic() - began > _PATIENCE:
            told = True
            echo(f"Nothing has taken the message so far: is {causes}? Waiting on.", err=True)
        return run

    run = poll(check, timeout=timeout)
    if run is None:
        echo(f"Nothing has taken the message, event {event_id}, in time; it stays in its queue.", err=True)
        raise click.exceptions.Exit(1)
    return run
