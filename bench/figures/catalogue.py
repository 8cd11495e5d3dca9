"""All figures, in the order of the table."""

from __future__ import annotations

from typing import Final

from bench.figures.deltas import DELTA
from bench.figures.memory import MEMORY
from bench.figures.nights import NIGHT
from bench.figures.publishing import PUBLISH
from bench.figures.requests import REQUESTS
from bench.figures.scaling import SCALE
from bench.figures.scripts import CELERY, SCRIPTS
from bench.figures.troubles import NEIGHBOURS, RESTART, STOP
from bench.figures.working import WORK

GROUPS: Final = (
    PUBLISH,
    WORK,
    *SCRIPTS,
    CELERY,
    SCALE,
    NIGHT,
    NEIGHBOURS,
    RESTART,
    STOP,
    REQUESTS,
    DELTA,
    MEMORY,
)

#: All figures by name.
FIGURES: Final = {figure.name: figure for group in GROUPS for figure in group.figures}

#: What can be asked for: a figure by its name, or the requests.
NAMES: Final = (*FIGURES, REQUESTS.name)
