"""Runs a command through the product's own entry point, with a part of it replaced."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

# Before gevent: the entry point takes Python's own threads for what ends a process.
from cli import entrypoint
from queues.consuming import gevent_patch

if TYPE_CHECKING:
    from collections.abc import Callable


def run_patched(*arguments: str, replace: Callable[[], None]) -> None:
    """Be `update-sync` with these arguments; `replace` is called once threads are greenlets.

    It imports what it replaces, which nothing may import before.
    """
    patch_gevent = gevent_patch.patch_gevent

    def patch_and_replace() -> None:
        patch_gevent()
        replace()

    patch.object(gevent_patch, "patch_gevent", patch_and_replace).start()
    sys.argv = ["update-sync", *arguments]
    entrypoint.main()
