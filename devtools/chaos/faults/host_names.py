"""Host names that cannot be resolved: commands resolve through `faked`, and a file lists lost names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FAKED: Final = Path(__file__).parent / "faked"


class HostNames:
    """The names that one command resolves."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def lose(self, port: int) -> None:
        """Have no name be resolved any more for connections to a port; existing ones live on."""
        new = self._file.with_suffix(".new")
        new.write_text(str(port), encoding="ascii")
        new.replace(self._file)

    def find(self) -> None:
        """Have every name be resolved again."""
        self._file.unlink(missing_ok=True)

    def variables(self) -> Mapping[str, str]:
        """Return the variables that put a command under these names."""
        return {"CHAOS_LOST_NAMES": str(self._file), "PYTHONPATH": str(FAKED)}
