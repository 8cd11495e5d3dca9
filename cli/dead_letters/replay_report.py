"""Prints a replay for its operator: the progress, and the result for each group of users."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cli.output import echo, localized, print_fields, print_json
from cli.progress import progress_bar
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from producers.dead_letters.replay_request import ReplayProgress
    from schemas.runs.operation import Operation

#: Counts whose names need a word more.
_LABELS: Final = {
    str(Outcome.DEAD_LETTERED): "failed again",
    **{f"{Outcome.DEAD_LETTERED} {reason}": f"failed again: {reason}" for reason in Reason},
    str(Outcome.SUPERSEDED): "obsolete: a newer run takes care of them, nothing was written",
    "published": "users tried",
    "settled_before": "had an outcome already",
    "on_their_way": "without an outcome yet",
    "taken_over": "taken over by another replay",
    "left": "left: not tried, still dead letters",
}


@contextmanager
def replay_bar(*, quiet: bool) -> Iterator[Callable[[ReplayProgress], None]]:
    """Give what shows how far a replay has come, on standard error, if that is a terminal."""
    said = set[str]()
    with progress_bar(quiet=quiet) as bar:

        def show(standing: ReplayProgress) -> None:
            if standing.waiting_for is not None and standing.waiting_for not in said:
                said.add(standing.waiting_for)
                echo(f"{standing.waiting_for}. Still waiting…", err=True)
            settled, operation = standing.results, standing.operation
            failed = settled.outcomes.get(Outcome.DEAD_LETTERED, 0)
            bar(
                operation,
                f"operation {operation}, {settled.open} in progress, {failed} failed again",
                total=standing.users,
                completed=sum(settled.outcomes.values()),
            )

        yield show


def show_operation(operation: Operation, *, wants_json: bool) -> None:
    """Print how an operation ended."""
    if wants_json:
        print_json(operation.as_json())
        return
    fields: dict[str, object] = {
        "operation": operation.id,
        "status": operation.status,
        **localized("detail", operation.detail),
        "started": timestamp(operation.started),
        "finished": operation.finished and timestamp(operation.finished),
    }
    fields |= {f"  {_LABELS.get(name, name)}": count for name, count in operation.counts.items()}
    print_fields({name: value for name, value in fields.items() if value is not None})
