"""Greenlets in the place of threads: what works on messages waits much, and a wait of theirs costs little."""

from __future__ import annotations

from gevent import monkey


def use_greenlets() -> None:
    """Make every thread of this process a greenlet, and every wait one that lets the others go on.

    Has to be called before anything is imported that takes its locks, sockets or threads from Python's
    own modules. See decision 31.
    """
    monkey.patch_all()
