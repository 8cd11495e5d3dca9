"""An outage that many messages meet is one line, and then one each half minute."""

from __future__ import annotations

from structlog.testing import capture_logs

from queues.middleware.retry_log import REPEAT_INTERVAL, RetryLog


def test_one_outage_is_one_line() -> None:
    """249 messages with the same error: one line, and the next one counts the others."""
    now = [0.0]
    retries = RetryLog(clock=lambda: now[0])
    with capture_logs() as lines:
        for number in range(249):
            retries.note("Skolon is away: HTTP 503", {"run": 1, "user": str(number)}, delay=5.0)
        retries.note("the database is away", {"run": 1, "user": "other"}, delay=5.0)
    assert [line["error"] for line in lines] == ["Skolon is away: HTTP 503", "the database is away"]
    assert "more_messages" not in lines[0]
    now[0] = REPEAT_INTERVAL
    with capture_logs() as lines:
        retries.note("Skolon is away: HTTP 503", {"run": 1, "user": "next"}, delay=5.0)
    assert [(line["event"], line["user"], line["more_messages"]) for line in lines] == [
        ("retry_scheduled", "next", 248)
    ]
