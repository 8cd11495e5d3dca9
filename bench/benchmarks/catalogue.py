"""All figures, in the order of the table."""

from __future__ import annotations

from typing import Final

from bench.benchmarks.alternatives import CELERY, SCRIPTS
from bench.benchmarks.deltas import DELTA
from bench.benchmarks.hub import HUB, HUB_PLANS
from bench.benchmarks.interactive.sync_now import SYNC_NOW
from bench.benchmarks.many_tenants import MANY_TENANTS
from bench.benchmarks.memory import MEMORY
from bench.benchmarks.publishing import PUBLISH
from bench.benchmarks.requests import REQUESTS
from bench.benchmarks.scaling import SCALE
from bench.benchmarks.throughput import WORK
from bench.benchmarks.troubles import NEIGHBOURS, RESTART, STOP

GROUPS: Final = (
    PUBLISH,
    WORK,
    *SCRIPTS,
    CELERY,
    SCALE,
    MANY_TENANTS,
    NEIGHBOURS,
    RESTART,
    STOP,
    REQUESTS,
    DELTA,
    MEMORY,
    SYNC_NOW,
    HUB,
    HUB_PLANS,
)

#: All figures by name.
FIGURES: Final = {figure.name: figure for group in GROUPS for figure in group.figures}

#: What `--only` accepts: a figure's name, the requests, or all pages of the Data Hub.
NAMES: Final = (*FIGURES, REQUESTS.name, HUB.name)
