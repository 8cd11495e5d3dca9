"""Imports structlog without rich, which takes longer to import than structlog itself.

structlog looks for rich when it is imported, for tracebacks in colour. Logs of ours have no tracebacks (P6).
"""

from __future__ import annotations

import sys
from importlib import import_module


def import_structlog() -> None:
    """Import structlog as if rich were not installed; do nothing when either is imported already.

    The process must have one thread. rich can be imported as ever afterwards.
    """
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    # What `import` finds here, it takes for a module that does not exist.
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]
