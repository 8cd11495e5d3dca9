"""The progress bar of commands that wait: on standard error, if that is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from rich.progress import Progress, TaskID


class ShowProgress(Protocol):
    """Shows how much of a task is done; each `task` has a line of its own."""

    def __call__(self, task: Hashable, description: str, *, completed: int, total: int | None) -> None:
        """Show it; `total` is None while it is unknown."""


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[ShowProgress]:
    """Give a bar that goes away when the block ends; with `quiet`, or in a pipe, it shows nothing."""
    if quiet or not sys.stderr.isatty():
        yield _show_nothing
        return
    tasks: dict[Hashable, TaskID] = {}
    with _new_bar() as bar:

        def show(task: Hashable, description: str, *, completed: int, total: int | None) -> None:
            if task not in tasks:
                tasks[task] = bar.add_task(description)
            bar.update(tasks[task], description=description, completed=completed, total=total)

        yield show


def _show_nothing(task: Hashable, description: str, *, completed: int, total: int | None) -> None:
    del task, description, completed, total


def _new_bar() -> Progress:
    from rich.console import Console  # noqa: PLC0415 - rich is slow to import, and only terminals need it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
