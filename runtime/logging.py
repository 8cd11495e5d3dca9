"""Configures a process's log: one line per event to standard error, readable or as JSON."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Final, TextIO, cast

import structlog

from schemas.safe_text import one_line, safe_json

#: Libraries that log URLs, message arguments or SQL. What matters of it reaches the log as errors of ours.
_VERBOSE_LIBRARIES: Final = ("urllib3", "requests", "msal", "pika", "dramatiq", "sqlalchemy", "alembic")

#: Characters of a library's line: some libraries log whole messages.
_MAX_LINE: Final = 300


class _LibraryLines(logging.Handler):
    """Writes the libraries' lines as events, without tracebacks, which may hold values (P6)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        error = record.exc_info[0] if record.exc_info else None
        structlog.get_logger().log(
            # What a library calls critical, such as a lost connection, the process heals by itself.
            min(record.levelno, logging.ERROR),
            record.getMessage()[:_MAX_LINE],
            library=record.name,
            **({"error": error.__name__} if error else {}),
        )


def _in_one_line(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Make each text of an event safe for a terminal: others choose ids and queue names."""
    return {
        one_line(name): one_line(value) if isinstance(value, str) else value for name, value in event.items()
    }


class _StandardError:
    """The current standard error; once its reader is gone, work goes on without a log."""

    def write(self, text: str) -> None:
        """Write, if possible."""
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Flush, if possible."""
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def set_up_logging(log_format: str, *, level: int = logging.INFO) -> None:
    """Have structlog write `json`, or readable lines, from `level` up, and the libraries only warnings."""
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
    for name in _VERBOSE_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    if not any(isinstance(handler, _LibraryLines) for handler in root.handlers):
        root.addHandler(_LibraryLines())
    # pika logs each lost connection as many errors; the code that notices logs what it means.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
