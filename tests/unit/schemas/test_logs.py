"""What a process writes to its log of what its libraries say."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from schemas.logs import set_up_logging

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "hemlig-uppgift"  # noqa: S105 - made up, opens nothing


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = handlers
    structlog.reset_defaults()


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
