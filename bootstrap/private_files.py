"""Checks that files with secrets or personal data are private to their owner."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

#: The permission bits that group and others must not have. `cli/entrypoint.py` sets the umask for new files.
PRIVATE: Final = 0o077


def permission_fix(path: Path) -> str | None:
    """Return the command that makes an existing file or directory private; None if it is private."""
    with suppress(OSError):
        if path.stat().st_mode & PRIVATE and (path.is_file() or path.is_dir()):
            return f"chmod {'700' if path.is_dir() else '600'} {path}"
    return None
