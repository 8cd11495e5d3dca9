"""What several commands about runs take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

#: The number of a run.
run_argument: Callable[..., Any] = click.argument("run", type=click.IntRange(min=1))
