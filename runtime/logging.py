"""How a process writes its log: one line an event, for people or as JSON, to standard error."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Final, TextIO, cast

import structlog

from schemas.safe_text import one_line, safe_json

#: They log URLs, message arguments or SQL: what of theirs matters reaches our log as errors of ours.
_TOO_TALKATIVE: Final = ("urllib3", "requests", "msal", "pika", "dramatiq", "sqlalchemy", "alembic")


#: Characters of a library's line: some put whole messages into theirs.
_LONGEST_LINE: Final = 300


class _LibraryLines(logging.Handler):
    """Writes what the libraries log as lines of ours, without tracebacks, which may hold values (P6)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[0] if record.exc_info else None
        structlog.get_logger().log(
            record.levelno,
            record.getMessage()[:_LONGEST_LINE],
            library=record.name,
            **({"error": error.__name__} if error else {}),
        )


def _in_one_line(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Make each text of an event fit for a terminal: ids and queue names are others' words."""
    return {
        one_line(name): one_line(value) if isinstance(value, str) else value for name, value in event.items()
    }


class _StandardError:
    """Standard error as it is at the moment; when nobody reads it any more, work goes on without a log."""

    def write(self, text: str) -> None:
        """Write, if somebody reads."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Have what was written leave."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def set_up_logging(log_format: str, *, level: int = logging.INFO) -> None:
    """Have structlog write `cli` lines or `json` from `level` up, the libraries only warnings."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=safe_json)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if log_format == "json" else [_in_one_line]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    if not any(isinstance(handler, _LibraryLines) for handler in root.handlers):
        root.addHandler(_LibraryLines())
    # pika logs each lost connection as a heap of errors; what it means is said by whoever noticed.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
