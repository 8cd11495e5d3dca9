"""Clocks that jump: the product's commands run under libfaketime, which reads the jump from a file.

Only the time of day jumps, as it does when a machine's clock is set. The monotonic clock does not jump.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from devtools.chaos.faults.host_names import FAKED
from devtools.services.discovery import Requirement

if TYPE_CHECKING:
    from collections.abc import Mapping


def _locate() -> Path | None:
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


REQUIREMENT: Final = Requirement(
    name="libfaketime", variable="UPDATE_SYNC_TEST_FAKETIME", packages=("libfaketime",), locate=_locate
)


class Clock:
    """The clock of one command, with the offset that `jump` last set."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.jump("+0")

    def jump(self, offset: str) -> None:
        """Set the clock's offset from the true time in seconds; processes read it within a second."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset}\n", encoding="ascii")
        new.replace(self._file)

    def variables(self) -> Mapping[str, str]:
        """Return the variables that put a command under this clock. Raises Unavailable."""
        library = REQUIREMENT.given() or str(REQUIREMENT.binaries())
        return {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # A remedy for older C libraries, with which threads wait for each other thirty times as long.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "PYTHONPATH": str(FAKED),
        }
