"""All figures, in the order of the table."""

from __future__ import annotations

from typing import Final

from bench.figures.publishing import PUBLISH
from bench.figures.working import WORK

GROUPS: Final = (PUBLISH, WORK)

#: What can be asked for: a figure by its name.
NAMES: Final = tuple(figure.name for group in GROUPS for figure in group.figures)
