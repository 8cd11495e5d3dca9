"""The worker command, with threads that die by an exception as soon as they work on anything."""

from __future__ import annotations

from typing import Any, NoReturn
from unittest.mock import patch

from tests.acceptance.patched_command import run_patched


def _die(*_: Any) -> NoReturn:
    raise RuntimeError("a bug in the library")


def _kill_threads() -> None:
    from dramatiq.worker import WorkerThread  # noqa: PLC0415 - as `run_patched` says

    patch.object(WorkerThread, "process_message", _die).start()


if __name__ == "__main__":
    run_patched("worker", "--threads", "4", replace=_kill_threads)
