"""Forks `update-sync` commands from a process that has imported them already.

Each command is a process of its own, with its own environment, input and output, and ends as the installed
command ends. Only Python's start and the imports are done once for many of them, which is most of the time
that a command takes to start.

Run as a module, this is a server: `python -m devtools.forking.server FOLDER KIND`. The kind is `threads` or
`greenlets`: what works on messages, or serves pages, replaces Python's threads before anything else. The
server makes the FIFO `orders` in the folder once it is ready. Each line there is the path of an order, a JSON
object:

    {"command": PATH, "arguments": […], "env": {…}, "folder": PATH, "input": PATH, "output": PATH,
     "errors": PATH, "session": bool, "answers": PATH}

`answers` is a FIFO, on which two lines come: the number of the process, and its exit code (negative for a
signal). The server ends when its standard input does.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

#: Imported by the commands that work on messages when they start.
_LATE_IMPORTS: Final = ("producers.main", "workers.main")
#: Bound here, before greenlets replace them: the server waits as Python does, and so has no greenlets.
_poll, _fork, _waitpid, _close = select.poll, os.fork, os.waitpid, os.close


def _import_commands(kind: str) -> None:
    """Import every module of the command line, as its commands would when they are used."""
    if kind == "greenlets":
        # As `cli.entrypoint` does, whose thread that ends the process must be one of the system's.
        importlib.import_module("cli.entrypoint")
        importlib.import_module("queues.consuming.gevent_patch").patch_gevent()
        for name in _LATE_IMPORTS:
            importlib.import_module(name)
    for module in pkgutil.walk_packages(importlib.import_module("cli").__path__, "cli."):
        if not module.name.startswith("cli.sandbox"):
            importlib.import_module(module.name)


def _serve(folder: Path) -> dict[str, Any]:
    """Fork a process for each order; return the order, in such a process that is ready to be its command."""
    os.mkfifo(folder / "orders.new")
    orders = os.open(folder / "orders.new", os.O_RDWR | os.O_NONBLOCK)
    (folder / "orders.new").rename(folder / "orders")
    watch = _poll()
    watch.register(orders, select.POLLIN)
    watch.register(sys.stdin.fileno(), select.POLLIN)
    # The exit codes of processes that only wait for commands are not needed.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    pending = b""
    while True:
        if any(descriptor != orders for descriptor, _ in watch.poll()):
            os._exit(0)
        *paths, pending = (pending + os.read(orders, 65_536)).split(b"\n")
        for path in paths:
            if _fork() == 0:
                _close(orders)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return _start(Path(os.fsdecode(path)))


def _start(path: Path) -> dict[str, Any]:
    """Fork the command, return in it, and tell the client how it ended from the process that is left."""
    order: dict[str, Any] = json.loads(path.read_bytes())
    # Before the client is told anything: from then on the command alone may hold a terminal open.
    streams = [
        os.open(order["input"], os.O_RDONLY | os.O_NOCTTY),
        os.open(order["output"], os.O_WRONLY | os.O_APPEND | os.O_NOCTTY),
        os.open(order["errors"], os.O_WRONLY | os.O_APPEND | os.O_NOCTTY),
    ]
    # Its end tells that the process is in its session: a client that knows it earlier finds no such group.
    ready, not_ready = os.pipe()
    command = _fork()
    if command:
        for descriptor in (*streams, not_ready):
            _close(descriptor)
        os.read(ready, 1)
        # A client that is gone reads no answer.
        with suppress(OSError):
            answers = os.open(order["answers"], os.O_WRONLY | os.O_NONBLOCK)
            os.write(answers, b"%d\n" % command)
            code = os.waitstatus_to_exitcode(_waitpid(command, 0)[1])
            os.write(answers, b"%d\n" % code)
        os._exit(0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        _close(stream)
    if order["session"]:
        os.setsid()
        if os.isatty(0):
            # A hidden prompt asks for the terminal of the session.
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for descriptor in (ready, not_ready):
        _close(descriptor)
    return order


def _become(order: dict[str, Any]) -> None:
    """Make this process what a new one would be."""
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.chdir(order["folder"])
    sys.argv = [order["command"], *order["arguments"]]
    # Who starts afresh, or starts more of itself, starts the installed command.
    sys.orig_argv = [sys.executable, *sys.argv]
    # A new process begins with a secret of its own wherever numbers are drawn.
    import random  # noqa: PLC0415 - only here

    random.seed()


def main(folder: str, kind: str) -> None:
    """Serve until the owner is gone; in each forked process, run its command."""
    _import_commands(kind)
    # What is there now is in use in every process: no collection need look at it, or copy its pages.
    gc.freeze()
    _become(_serve(Path(folder)))
    # As the installed script does; devtools know the product from outside.
    importlib.import_module("cli.entrypoint").main()


if __name__ == "__main__":
    main(*sys.argv[1:])
