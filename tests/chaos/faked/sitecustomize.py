"""For Python under libfaketime: its `clock_nanosleep` refuses what `time.sleep` asks of it (0.9.10)."""  # noqa: INP001 - Python itself imports it, by its name

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
