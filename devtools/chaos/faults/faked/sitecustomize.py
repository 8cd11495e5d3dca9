"""For Python in a round of faults: a clock that may be faked, and names that may be lost."""  # noqa: INP001 - Python itself imports it, by its name

from __future__ import annotations

import os
import select
import socket
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import SupportsIndex

_resolve = socket.getaddrinfo


def _sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], float(seconds))


def _resolve_unless_lost(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    """Resolve as ever, but for the port that the file of lost names names."""
    try:
        with open(os.environ["CHAOS_LOST_NAMES"], encoding="ascii") as lost:  # noqa: PTH123 - quick
            if str(port) == lost.read().strip():
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    except FileNotFoundError:
        pass
    return _resolve(host, port, *args, **kwargs)


if "FAKETIME_TIMESTAMP_FILE" in os.environ:
    # libfaketime's `clock_nanosleep` refuses what `time.sleep` asks of it (0.9.10).
    time.sleep = _sleep
if "CHAOS_LOST_NAMES" in os.environ:
    socket.getaddrinfo = _resolve_unless_lost
