"""What a run waits for, in an administrator's words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from administration.runs.wait_descriptions import describe_waiting
from schemas.errors import Dependency, FailureKind
from schemas.reports.remedy import Language
from schemas.runs.waits import Waiting

SINCE = dt.datetime(2026, 11, 26, 21, 4, 10, tzinfo=dt.UTC)
NOW = SINCE + dt.timedelta(minutes=3)


def waiting(**facts: Any) -> Waiting:
    usual = {
        "service": Dependency.SKOLON,
        "since": SINCE,
        "users": 3,
        "page": False,
        "last_failed": NOW,
        "last_status": 501,
        "last_kind": None,
        "next_try": NOW + dt.timedelta(seconds=3.2),
    }
    return Waiting(**{**usual, **facts})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "3 users wait for Skolon since 21:04 UTC, last answer HTTP 501, next try in 4 s"),
        (
            {"users": 1, "last_status": None, "last_kind": FailureKind.TIMEOUT, "next_try": NOW},
            "1 user waits for Skolon since 21:04 UTC, last answer no answer in time, next try now",
        ),
        (
            {"service": Dependency.GRAPH, "users": 0, "page": True, "last_status": None},
            "the next page waits for Microsoft Graph since 21:04 UTC, next try in 4 s",
        ),
        (
            {"page": True, "last_status": 200, "last_kind": FailureKind.UNREADABLE},
            (
                "the next page and 3 users wait for Skolon since 21:04 UTC, last answer HTTP 200, but an "
                "answer that makes no sense, next try in 4 s"
            ),
        ),
        (
            {"since": SINCE - dt.timedelta(days=1)},
            "3 users wait for Skolon since 2026-11-25 21:04 UTC, last answer HTTP 501, next try in 4 s",
        ),
    ],
)
def test_a_wait_in_words(facts: dict[str, Any], words: str) -> None:
    """Who waits for what, since when, what was answered and when the next try is."""
    assert describe_waiting(waiting(**facts), NOW)[Language.ENGLISH] == words


def test_a_wait_in_swedish() -> None:
    """All parts are in one language."""
    facts = {"page": True, "last_status": 429, "last_kind": FailureKind.TIMEOUT}
    assert describe_waiting(waiting(**facts), NOW)[Language.SWEDISH] == (
        "nästa sida och 3 användare väntar på Skolon sedan 21:04 UTC, senaste svar HTTP 429 (för många "
        "anrop), men inget svar i tid, nästa försök om 4 s"
    )


@pytest.mark.parametrize("service", Dependency)
@pytest.mark.parametrize("kind", FailureKind)
def test_every_service_and_failure_has_words(service: Dependency, kind: FailureKind) -> None:
    """Whatever can be told can be said."""
    texts = describe_waiting(waiting(service=service, last_status=None, last_kind=kind), NOW)
    assert set(texts) == set(Language)
    assert all(texts.values())
