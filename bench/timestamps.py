"""A file of timestamps, one for each piece of work, that several processes write."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Final

_SIZE: Final = 8


def make_timestamps(path: Path, count: int) -> None:
    """Create the file without any timestamp."""
    path.write_bytes(bytes(_SIZE * count))


def open_timestamps(path: str | Path) -> memoryview[float]:
    """Return the file's timestamps in seconds, 0 for unfinished work; to read and to write."""
    with Path(path).open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
