"""Files of ours hold secrets, or what dead letters hold: nobody else of the machine is to read them."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from pathlib import Path

#: Neither the group nor others get any right to a file or directory that we make, whatever we started with.
PRIVATE: Final = 0o077

_log = structlog.get_logger(__name__)


def make_files_private() -> None:
    """Have every file that this process or a child of it makes be its user's alone (0600, 0700)."""
    os.umask(PRIVATE)


def warn_if_others_can_read(path: Path) -> None:
    """Log a warning if a file or directory that was there before can be read by others; it stays so."""
    with suppress(OSError):
        status = path.stat()
        if status.st_mode & PRIVATE and (path.is_file() or path.is_dir()):
            mode = "700" if path.is_dir() else "600"
            _log.warning("others of this machine can read it", path=str(path), fix=f"chmod {mode} {path}")
