"""Writes files that only their owner may read: they contain secrets, or dead letters."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

#: What neither the group nor others may do with a file or directory (`cli/entrypoint.py` sees to ours).
PRIVATE: Final = 0o077


def fix_of_rights(path: Path) -> str | None:
    """Return the command that makes a file or directory private which was there before; None if it is."""
    with suppress(OSError):
        if path.stat().st_mode & PRIVATE and (path.is_file() or path.is_dir()):
            return f"chmod {'700' if path.is_dir() else '600'} {path}"
    return None
