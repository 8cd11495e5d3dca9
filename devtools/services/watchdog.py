"""Keeps one server process, and ends it and removes its data when its owner has ended.

Run as a script of its own: `python -I watchdog.py DIRECTORY`. Standard input takes one JSON order a line,
standard output gives one JSON answer a line:

    {"do": "start", "command": […], "environment": {…}, "user": "postgres" | null, "log": PATH}
    {"do": "stop", "signal": 15, "seconds": 30}     ask first, kill when the time is up
    {"do": "status"}

Every answer is {"pid": int | null, "exit": int | null}. When standard input ends, or the parent is no
longer the same process, everything below the watchdog is killed and DIRECTORY is removed. The watchdog adopts
orphans (Linux's child subreaper), so daemons that fork twice, as Erlang's epmd does, cannot get away.
It imports the standard library alone: it must run however the tests were started.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
#: How often the parent is looked at, in seconds. Standard input normally ends long before.
PARENT_CHECK = 0.5


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _die_with_watchdog() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def children() -> dict[int, list[int]]:
    """Every process by its parent, as /proc has it now."""
    tree: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The command, in brackets, may hold anything: what counts comes after the last bracket.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            tree.setdefault(int(parent), []).append(int(entry.name))
    return tree


def descendants(pid: int) -> list[int]:
    """All living processes below this one."""
    tree = children()
    found: list[int] = []
    heads = [pid]
    while heads:
        below = tree.get(heads.pop(), [])
        found += below
        heads += below
    return found


def kill_below() -> None:
    """Kill what is below the watchdog until nothing is left, for ten seconds at most."""
    until = time.monotonic() + 10
    while (pids := descendants(os.getpid())) and time.monotonic() < until:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


class Watchdog:
    """Carries out orders; holds at most one server at a time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server: subprocess.Popen[bytes] | None = None

    def start(self, order: dict[str, Any]) -> None:
        user = order["user"]
        with Path(order["log"]).open("ab") as log:
            self.server = subprocess.Popen(  # noqa: S603 - the tests' own command, no shell
                order["command"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=order["environment"],
                cwd=self.directory,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                preexec_fn=_die_with_watchdog,  # noqa: PLW1509 - the watchdog has one thread
            )

    def stop(self, order: dict[str, Any]) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(order["signal"])
            try:
                self.server.wait(order["seconds"])
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        kill_below()

    def answer(self) -> dict[str, int | None]:
        if self.server is None:
            return {"pid": None, "exit": None}
        return {"pid": self.server.pid, "exit": self.server.poll()}

    def handle(self, line: bytes) -> dict[str, Any]:
        order = json.loads(line)
        try:
            if order["do"] == "start":
                self.start(order)
            elif order["do"] == "stop":
                self.stop(order)
        except OSError as error:
            return {"pid": None, "exit": None, "error": str(error)}
        return self.answer()

    def finish(self) -> None:
        kill_below()
        shutil.rmtree(self.directory, ignore_errors=True)


def main(directory: str) -> None:
    """Carry out orders until they end or the parent is gone."""
    # A Ctrl-C at the terminal is the parent's to handle: it closes our standard input.
    os.setsid()
    parent = os.getppid()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    watchdog = Watchdog(Path(directory))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pending = b""
    try:
        while os.getppid() == parent:
            readable, _, _ = select.select([0], [], [], PARENT_CHECK)
            if not readable:
                continue
            received = os.read(0, 65536)
            if not received:
                break
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                os.write(1, json.dumps(watchdog.handle(line)).encode() + b"\n")
    except BrokenPipeError:
        pass
    finally:
        watchdog.finish()


if __name__ == "__main__":
    main(sys.argv[1])
