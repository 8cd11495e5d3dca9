"""What a process writes to its log of what its libraries say."""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import suppress

import pytest
import structlog

from runtime.logging import set_up_logging

SECRET = "hemlig-uppgift"  # noqa: S105 - made up, opens nothing


def test_a_librarys_error_is_one_line_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    """P6: an error that a library logs is told by its kind, in our form, once, and without a traceback."""
    set_up_logging("json")
    set_up_logging("json")
    error = ValueError(SECRET)
    logging.getLogger("dramatiq.broker").error("Encountered exception while closing", exc_info=error)
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["library"], event["error"], event["level"]) == (
        "Encountered exception while closing",
        "dramatiq.broker",
        "ValueError",
        "error",
    )
    assert SECRET not in line


def test_a_librarys_chatter_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Only warnings and worse of the libraries are written, and little of each."""
    set_up_logging("console")
    logging.getLogger("dramatiq.worker").info("Received message")
    logging.getLogger("dramatiq.worker").warning("x" * 10_000)
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) < 500


#: A screen wiped, a title set, a line faked, the direction of writing turned, half a surrogate.
HOSTILE = "id\x1b[2J\x9b1m\r\nok \u2028\u202e\u2066\x07\ud800\x7f"


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_what_others_wrote_reaches_no_terminal_raw(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    """A log line is one line of signs that can be printed, whatever is in its fields; JSON keeps them."""
    set_up_logging(log_format)
    structlog.get_logger().warning("event", user=HOSTILE, others=[HOSTILE], **{HOSTILE: 1})
    logging.getLogger("foreign").error("%s", HOSTILE)
    first, second = capsys.readouterr().err.removesuffix("\n").split("\n")
    for line in (first, second):
        assert line.isprintable()
    if log_format == "json":
        assert json.loads(first)["user"] == HOSTILE
        assert json.loads(second)["event"] == HOSTILE
    else:
        assert "id\\x1b[2J" in first


def test_work_goes_on_when_nobody_reads_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log whose reader is gone (EPIPE) or that was closed costs no message its outcome."""
    set_up_logging("json")
    reader, writer = os.pipe()
    os.close(reader)
    broken = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stderr", broken)
    structlog.get_logger("some.module").warning("nobody reads this")
    with suppress(OSError):
        broken.close()
    structlog.get_logger("some.module").warning("nor this")
