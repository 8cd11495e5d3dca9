"""What several commands about runs take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def check_timeout(timeout: float | None, *, wait: bool) -> None:
    """Raise `UsageError` for `--timeout` without `--wait`, which it would have no effect on."""
    if timeout is not None and not wait:
        raise click.UsageError("--timeout goes with --wait.")


#: The number of a run.
run_argument: Callable[..., Any] = click.argument("run", type=click.IntRange(min=1))
