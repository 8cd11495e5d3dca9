"""Reads what a process and its children have used, from Linux's /proc."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def family(pid: int) -> list[int]:
    """Return the process and all its descendants."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for thread in (_PROC / str(parent) / "task").iterdir():
                found += map(int, (thread / "children").read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Return the seconds of a core that the process has used so far."""
    # The command, in brackets, may contain any text. The numbers come after the last bracket.
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_memory(pid: int) -> float:
    """Return the sum of the peak memory of the process and its descendants in MiB."""
    total = 0
    for one in family(pid):
        with suppress(OSError):
            match = _PEAK.search((_PROC / str(one) / "status").read_text())
            total += int(match[1]) if match else 0
    return total / 1024
