"""How a process writes its log: one line an event, for people or as JSON, to standard error."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

#: They log URLs, message arguments or SQL: what of theirs matters reaches our log as errors of ours.
_TOO_TALKATIVE: Final = ("urllib3", "requests", "msal", "pika", "dramatiq", "sqlalchemy", "alembic")


def set_up_logging(log_format: str, *, level: int = logging.INFO) -> None:
    """Have structlog write `console` lines or `json` from `level` up, the libraries only warnings."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # pika logs each lost connection as a heap of errors; what it means is said by whoever noticed.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
