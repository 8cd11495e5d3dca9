"""How the command ends: every foreseen error has its words and its code."""

from __future__ import annotations

import errno
import json
import sys

import click
import pytest

from cli import app as main
from schemas.dead_letter_reasons import Reason
from schemas.errors import (
    Dependency,
    HaltError,
    InvalidSettingsError,
    OperatorError,
    PermanentError,
    TransientError,
    UsageError,
)
from schemas.outcomes import Cause, Stage

ENDS = {
    "usage": (click.UsageError("No such thing"), 2, "No such thing"),
    "wrong use": (UsageError("There is no run 7"), 2, "There is no run 7"),
    "settings": (InvalidSettingsError("Faults:", ["A: is not set", "B: is not set"]), 2, "B: is not set"),
    "operator": (OperatorError(Dependency.DATABASE, "Refused: mend it."), 2, "Refused: mend it."),
    "read-only": (OSError(errno.EROFS, "x", "/export.csv"), 2, "read-only: mount it so"),
    "disk full": (OSError(errno.ENOSPC, "x"), 2, "The disk is full: make room."),
    "port in use": (OSError(errno.EADDRINUSE, "x"), 2, "The port is in use"),
    "broker": (TransientError(Dependency.BROKER, "refused"), 1, "RabbitMQ is away"),
    "database": (TransientError(Dependency.DATABASE, "refused"), 1, "UPDATE_SYNC_DATABASE_URL"),
    "another": (TransientError(Dependency.GRAPH, "HTTP 503"), 1, "UPDATE_SYNC_GRAPH_URL"),
    "Entra": (
        TransientError(Dependency.ENTRA, "HTTP 503"),
        1,
        "UPDATE_SYNC_ENTRA_AUTHORITY is right (HTTP 503)",
    ),
    "Skolon": (TransientError(Dependency.SKOLON, "HTTP 503"), 1, "UPDATE_SYNC_SKOLON_SCIM_URL is right"),
    "machine": (TransientError(Dependency.MACHINE, "no file"), 1, "This machine cannot do it now (no file)"),
    "permanent": (PermanentError(Reason.CONFLICT, Stage.UPDATE, "again and again"), 1, "again and again"),
    "halt": (HaltError(Cause.GRAPH_QUERY, "HTTP 400"), 1, "HTTP 400"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "Interrupted"),
    "no answer": (click.Abort(), 130, "Interrupted"),
    "exit": (click.exceptions.Exit(1), 1, ""),
}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Have a command `fail` that raises what the test puts here."""
    errors: list[BaseException] = []

    @click.command("fail")
    def fail() -> None:
        raise errors[0]

    monkeypatch.setitem(main.update_sync.commands, "fail", fail)
    monkeypatch.setattr(sys, "argv", ["update-sync", "fail"])
    return errors


@pytest.mark.parametrize(("error", "code", "said"), ENDS.values(), ids=ENDS.keys())
def test_every_error_has_its_end(
    failing: list[BaseException],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    """0 is done, 1 that something is wrong, 2 wrong use; said on standard error, without a traceback."""
    failing.append(error)
    with pytest.raises(SystemExit) as end:
        main.main()
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("expected", ENDS.values(), ids=ENDS.keys())
def test_every_end_is_one_line_of_a_json_log(
    failing: list[BaseException],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    expected: tuple[BaseException, int, str],
) -> None:
    """Where the log is JSON, what was wrong is one line of it, each fault of several by itself."""
    monkeypatch.setenv("UPDATE_SYNC_LOG_FORMAT", "json")
    error, code, said = expected
    failing.append(error)
    with pytest.raises(SystemExit) as end:
        main.main()
    # After Ctrl-C click itself ends the line that the terminal shows it in.
    err = capsys.readouterr().err.strip()
    assert end.value.code == code
    if said:
        [line] = err.splitlines()
        entry = json.loads(line)
        assert said in " ".join([entry["event"], *entry.get("faults", [])])
        assert (entry["level"], entry["exit_code"]) == ("error", code)


def test_a_bug_is_told_without_its_text(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    """P6: an unexpected error is shown by its kind and place; its text may hold anything."""
    failing.append(ValueError("hemligt värde"))
    with pytest.raises(SystemExit) as end:
        main.main()
    written = "".join(capsys.readouterr())
    assert end.value.code == 1
    assert "ValueError in fail (test_exits.py:" in written
    assert "hemligt" not in written


def test_without_the_stand_ins_the_sandbox_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An installation without the sandbox's servers works, and names what is missing when it is wanted."""
    monkeypatch.setitem(sys.modules, "cli.sandbox.session", None)
    monkeypatch.setattr(sys, "argv", ["update-sync", "sandbox", "--users", "5"])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 2
    assert "skolon-update-sync[sandbox]" in capsys.readouterr().err
