"""Where `update-sync` starts: it settles what has to be settled before anything else is imported."""

from __future__ import annotations

import os
import signal
import sys
from typing import Final, NoReturn

from runtime.stop_signals import handle_stop_signals

#: The commands that work on messages. Click knows their names too, but to ask it is to import everything.
_WORK_ON_MESSAGES: Final = frozenset({"producer", "worker"})

#: The command that serves pages, unless the name of a command of its own follows.
_SERVES_PAGES: Final = "hub"

#: Every file that we make is for its user alone (0600, 0700), whatever umask we started with: it holds
#: secrets, or what dead letters hold.
_PRIVATE: Final = 0o077


#: Those that go on until they are asked to end: that is then no failure.
_LONG_RUNNING: Final = frozenset({*_WORK_ON_MESSAGES, "all", "scheduler"})

#: The highest number of a standard stream's file descriptor.
_STANDARD_ERROR: Final = 2

#: Seconds after SIGTERM until a command ends in any case. Containers are killed after ten.
_ENDS: Final = 8.0


def main() -> None:
    """Run the command that `sys.argv` names, on greenlets if it works on messages."""
    _open_standard_streams()
    long_running = (
        bool(_LONG_RUNNING.intersection(sys.argv[1:2]))
        or _serves_pages()
        or bool({"--serve", "--hub"}.intersection(sys.argv))
    )

    def stop(number: int) -> NoReturn:
        if long_running:
            raise SystemExit(0)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(_code_of(number))

    handle_stop_signals(stop, exit_code=0 if long_running else _code_of(signal.SIGTERM), deadline=_ENDS)
    try:
        _run()
    except KeyboardInterrupt:
        # Before the command itself could say so.
        sys.exit(_code_of(signal.SIGINT))
    except SystemExit as ended:
        # The sandbox has threads and folders of its own to put away.
        if isinstance(ended.code, int) and sys.argv[1:2] != ["sandbox"]:
            _leave(ended.code)
        raise


def _open_standard_streams() -> None:
    """Open what the command was started without (`>&-`), so that no connection gets its number."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(number)
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: PTH123, SIM115 - it is there as long as the process
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115 - as above
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115 - as above


def _run() -> None:
    os.umask(_PRIVATE)
    if _WORK_ON_MESSAGES.intersection(sys.argv[1:2]) or _serves_pages():
        from queues.consuming.gevent_patch import patch_gevent  # noqa: PLC0415 - the others need no gevent

        patch_gevent()
    from cli.app import main as commands  # noqa: PLC0415 - after the threads are what they are to be

    commands()


def _serves_pages() -> bool:
    arguments = [each for each in sys.argv[2:] if not (each.startswith("-") or each.isdigit())]
    return sys.argv[1:2] == [_SERVES_PAGES] and not arguments


def _leave(code: int) -> NoReturn:
    """End at once, with all written that was said, and not with 0 when it cannot be written.

    Python puts itself away in a tenth of the time of a short command. Meanwhile, which takes long on a busy
    machine, it lets no other thread go on: nothing would end the process any more if that hung.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
    os._exit(code)


def _code_of(number: int) -> int:
    """Return what a command ends with that a signal has ended, as a shell would say it."""
    return 128 + number
