"""Leads from a trigger to its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import UsageError

if TYPE_CHECKING:
    from schemas.runs.run import RunSummary
    from store.store import Store


def run_of_event(event_id: str, store: Store) -> RunSummary:
    """Return the run that a trigger started or joined; raise `UsageError` if there is none so far."""
    run = store.triggers.find_run(event_id)
    if run is None:
        raise UsageError(
            f"No run has the event {event_id}: its request waits for a producer or another run, is a dead "
            "letter, or was never made."
        )
    return store.runs.summary(run.id)
