"""How a command ends that did not work: what was wrong in one place, and the exit code for it."""

from __future__ import annotations

import errno
import sys
from typing import Final

import click

from cli.output import echo
from schemas.errors import (
    Dependency,
    OperatorError,
    TransientError,
    UpdateSyncError,
    UsageError,
    error_location,
)

#: 0 is "done", 1 "it ran and something is wrong", 2 "wrong use".
SOMETHING_IS_WRONG: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130

_AWAY: Final = {
    Dependency.DATABASE: "The database is away: see that it runs, and that UPDATE_SYNC_DATABASE_URL is right",
    Dependency.BROKER: "RabbitMQ is away: see that it runs, and that UPDATE_SYNC_AMQP_URL is right",
    Dependency.ENTRA: "Entra's sign-in does not answer: see that this machine reaches it, directly or by its "
    "proxy, and that UPDATE_SYNC_ENTRA_AUTHORITY is right",
    Dependency.GRAPH: "Microsoft Graph does not answer: see that this machine reaches it, directly or by its "
    "proxy, and that UPDATE_SYNC_GRAPH_URL is right",
    Dependency.SKOLON: "Skolon does not answer: see that this machine reaches it, directly or by its proxy, "
    "and that UPDATE_SYNC_SKOLON_SCIM_URL is right",
    Dependency.MACHINE: "This machine cannot do it now",
}

#: What a machine may lack, and what an operator can do about it.
_LACKING: Final = {
    errno.EROFS: "The file system is read-only: mount it so that it can be written to",
    errno.ENOSPC: "The disk is full: make room",
    errno.EDQUOT: "The disk's quota is used up: make room",
    errno.EACCES: "A right is missing: have the user who runs this own it",
    errno.EPERM: "A right is missing: have the user who runs this own it",
    errno.ENOENT: "There is no such file or folder: make it, or correct the path",
    errno.ENOTDIR: "There is no such folder: make it, or correct the path",
    errno.EISDIR: "It is a folder, and has to be a file: correct the path",
    errno.EADDRINUSE: "The port is in use: choose another one, or end what has it",
    errno.EADDRNOTAVAIL: "The address is none of this machine: choose another one",
    errno.EMFILE: "Too many files are open: raise the limit of open files (ulimit -n)",
    errno.ENFILE: "Too many files are open: raise the system's limit of open files (fs.file-max)",
    errno.ENOMEM: "There is not enough memory: give it more, or run fewer processes",
    errno.EEXIST: "There is a file of that name already: choose another path",
    errno.ENAMETOOLONG: "The path is too long: choose a shorter one",
    errno.ELOOP: "The path leads in a circle: correct the symbolic links",
    errno.EIO: "The disk cannot be read or written: look at its health",
    errno.EAGAIN: "No process can be made: raise the limit of processes (ulimit -u), or run fewer",
}


def report_error(error: BaseException) -> int:
    """Say on standard error what was wrong, and return the exit code for it.

    For people as text; as one line of JSON where the log is JSON and no terminal.
    """
    if isinstance(error, click.NoSuchOption | click.NoSuchCommand) and error.possibilities:
        # The nearest alone: click finds those first that are more alike, and shows them by the alphabet.
        del error.possibilities[1:]
    if isinstance(error, click.ClickException) and not _wants_json():
        error.show()
        return error.exit_code
    text, faults, code = _told(error)
    if _wants_json():
        import structlog  # noqa: PLC0415 - slow to import, as logging is

        from runtime.logging import set_up_logging  # noqa: PLC0415

        set_up_logging("json")
        structlog.get_logger(__name__).error(text, **({"faults": faults} if faults else {}), exit_code=code)
    else:
        echo(text, *(f"  - {fault}" for fault in faults), err=True)
    return code


def _told(error: BaseException) -> tuple[str, list[str], int]:  # noqa: PLR0911 - one table
    """Return what to say of an error, each fault of several by itself, and the exit code."""
    match error:
        case click.Abort() | KeyboardInterrupt():
            return "Interrupted.", [], INTERRUPTED
        case click.ClickException():
            return error.format_message(), [], error.exit_code
        case UsageError():
            return error.summary, list(error.faults), WRONG_USE
        case OperatorError():
            return error.detail, [], WRONG_USE
        case TransientError():
            return f"{_AWAY[error.dependency]} ({error.detail}). Then try again.", [], SOMETHING_IS_WRONG
        case UpdateSyncError():
            return f"It did not work: {error}", [], SOMETHING_IS_WRONG
        case OSError() if error.errno in _LACKING:
            named = f" ({error.filename})" if isinstance(error.filename, str) else ""
            return f"{_LACKING[error.errno]}{named}.", [], WRONG_USE
        case _:
            # Without its text, which may contain personal data or a secret (promise P6).
            text = f"A bug, please report it: {type(error).__name__} in {error_location(error)}"
            return text, [], SOMETHING_IS_WRONG


def _wants_json() -> bool:
    from schemas.settings import load_log_format  # noqa: PLC0415 - slow to import, and needed only here

    return load_log_format() == "json" and not sys.stderr.isatty()
