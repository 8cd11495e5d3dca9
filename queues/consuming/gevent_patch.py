"""Greenlets in the place of threads: what works on messages waits much, and a wait of theirs costs little."""

from __future__ import annotations

import os

from gevent import monkey
from gevent.os import fork_gevent


def patch_gevent() -> None:
    """Make every thread of this process a greenlet, and every wait one that lets the others go on.

    Has to be called before anything is imported that takes its locks, sockets or threads from Python's
    own modules. See decision 31.
    """
    monkey.patch_all()


def fork() -> int:
    """Make a process that may go on to use greenlets; return its number, and 0 in it itself."""
    return int(fork_gevent())


def exit_code_of(process: int) -> int | None:
    """Return the exit code of a process that `fork` made, negative for a signal; None while it runs."""
    # gevent's own waits for what its own fork has noted, which watches all processes there are.
    waitpid = monkey.get_original("os", "waitpid")
    ended, status = waitpid(process, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None
