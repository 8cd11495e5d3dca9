"""What a round amounts to, by made-up observations."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from devtools.chaos.results.assessment import Round, assess, broken_round
from devtools.chaos.results.expectations import Account, Expectation
from devtools.chaos.results.observation import Observation, ObservedDeadLetter
from devtools.chaos.runner import RoundLog
from devtools.chaos.schedule import make_schedule

SCHEDULE = make_schedule(1)
DEMAND = Expectation(
    people={
        "anna": frozenset({("updated", None)}),
        "bo": frozenset({("unchanged", None)}),
        "cia": frozenset({("dead_lettered", "invalid_user")}),
    },
    outcomes={"updated": 1, "unchanged": 1, "dead_lettered": 1},
    reasons={"invalid_user": 1},
)
LETTER = ObservedDeadLetter(queue="user-sync.XQ", message_id="1", user="cia", reason="invalid_user")


def receipt(user: str, outcome: str, reason: str | None = None) -> dict[str, Any]:
    return {"user": user, "outcome": outcome, "reason": reason}


RECEIPTS = [
    receipt("anna", "updated"),
    receipt("bo", "unchanged"),
    receipt("cia", "dead_lettered", "invalid_user"),
]
GOOD = Observation(
    run={
        "status": "completed",
        "cause": None,
        "published": 3,
        "pending": 0,
        "outcomes": {"updated": 1, "unchanged": 1, "dead_lettered": 1, "not_found": 0},
        "reasons": {"invalid_user": 1},
    },
    receipts=RECEIPTS,
    dead_letters=[LETTER],
    leftovers={},
    wrong=[],
    patches={"effective": {"a": 1}, "idle": {}},
    retried=2,
    redelivered=3,
)


def judged(*, round_log: RoundLog | None = None, **changed: Any) -> Round:
    seen = dataclasses.replace(GOOD, **changed)
    return assess(seen, DEMAND, SCHEDULE, round_log or RoundLog(ended=True))


def test_a_round_in_which_all_is_as_demanded_has_not_failed() -> None:
    """P3: the four sums are 0, and what was recovered is counted."""
    found = judged()
    assert not found.failed
    assert found.surprises == []
    assert found.recovered == 5
    assert found.dead_letters == {"invalid_user": 1}


@pytest.mark.parametrize("receipts", [RECEIPTS[1:], [receipt("anna", "pending"), *RECEIPTS[1:]]])
def test_whoever_has_no_outcome_is_lost(receipts: list[dict[str, Any]]) -> None:
    """P3: a person without a receipt and a person whose receipt is pending are lost."""
    assert judged(receipts=receipts).lost == 1


def test_a_skolon_user_that_differs_is_wrong() -> None:
    """P4: the end state is compared with the municipality's expectation."""
    assert judged(wrong=["a"]).wrong == 1


@pytest.mark.parametrize(
    "patches", [{"effective": {"a": 2}, "idle": {}}, {"effective": {}, "idle": {"a": 1}}]
)
def test_a_second_patch_and_an_idle_one_are_done_twice(patches: dict[str, dict[str, int]]) -> None:
    """P4: no user needs more than one PATCH, and no PATCH is without effect."""
    found = judged(patches=patches)
    assert found.done_twice_with_effect == 1
    assert found.failed


@pytest.mark.parametrize(
    "dead_letter",
    [
        ObservedDeadLetter(queue="user-sync.XQ", message_id="2", user="bo", reason="gave_up"),
        ObservedDeadLetter(queue="user-sync.XQ", message_id="2", user="cia", reason="bug"),
        ObservedDeadLetter(queue="tenant-pages.XQ", message_id=None, user=None, reason=None),
    ],
)
def test_a_dead_letter_that_nobody_demands_is_an_outages(dead_letter: ObservedDeadLetter) -> None:
    """P8: one too many for a person, for another reason, or for nobody at all."""
    assert judged(dead_letters=[LETTER, dead_letter]).outage_dead_letters == 1


def test_a_dead_letter_may_be_there_twice() -> None:
    """A crash between dead letter and receipt makes a copy, which is counted apart."""
    found = judged(dead_letters=[LETTER, LETTER])
    assert (found.duplicate_dead_letters, found.outage_dead_letters) == (1, 0)
    assert not found.failed


@pytest.mark.parametrize(
    "changed",
    [
        {"dead_letters": []},
        {"receipts": [receipt("anna", "unchanged"), *RECEIPTS[1:]]},
        {"run": {**GOOD.run, "published": 4}},
        {"run": {**GOOD.run, "status": "halted", "cause": "entra_credentials"}},
        {"run": {**GOOD.run, "outcomes": {"updated": 1, "unchanged": 2}}},
        {"run": {**GOOD.run, "reasons": {}}},
        {"run": {}},
        {"leftovers": {"user-sync": 1}},
        {"tracebacks": ["KeyError"]},
        {"bugs": ["…"]},
        {"leaks": 1},
        {"killed_in_the_end": ["worker"]},
    ],
)
def test_whatever_else_differs_is_unexpected(changed: dict[str, Any]) -> None:
    """P2, P3, P6: a missing dead letter, another outcome, sums, leftovers, tracebacks, personal values."""
    assert judged(**changed).unexpected > 0


@pytest.mark.parametrize(
    "round_log",
    [RoundLog(ended=False), RoundLog(ended=True, broken=["…"]), RoundLog(ended=True, unforeseen_halts=["x"])],
)
def test_a_run_that_goes_astray_is_unexpected(round_log: RoundLog) -> None:
    """P8: it ends by itself, and is halted only where a fault is known to halt it."""
    assert judged(round_log=round_log).unexpected == 1


def test_a_round_that_breaks_off_has_failed() -> None:
    """What could not be tried is not taken for a success."""
    found = broken_round(SCHEDULE, "no room left on the disk")
    assert found.failed
    assert found.surprises == ["no room left on the disk"]


FORGED = ObservedDeadLetter(
    queue="user-sync.XQ", message_id="forged-1", user="anna", reason="forged_message", forged="forged-1"
)


def test_forged_messages_lie_among_the_dead_letters_and_are_nobodys() -> None:
    """P7: what was forged is a dead letter as such; it is missed otherwise, and counts for no user."""
    assert not judged(dead_letters=[LETTER, FORGED], forged=["forged-1"]).failed
    assert judged(dead_letters=[LETTER], forged=["forged-1"]).unexpected == 1
    taken = dataclasses.replace(FORGED, reason="collision")
    assert judged(dead_letters=[LETTER, taken], forged=["forged-1"]).unexpected == 1


SMALL = Account(
    key="healthy",
    run={**GOOD.run, "published": 1, "outcomes": {"unchanged": 1}, "reasons": {}},
    receipts=[receipt("dan", "unchanged")],
    expectation=Expectation(
        people={"dan": frozenset({("unchanged", None)})}, outcomes={"unchanged": 1}, reasons={}
    ),
)
CANCELLED = dataclasses.replace(
    SMALL,
    run={**SMALL.run, "status": "cancelled", "pending": 1, "outcomes": {}},
    receipts=[receipt("dan", "pending")],
)


def test_a_small_municipality_is_judged_as_the_big_one_is() -> None:
    """P3, P8: its people are counted, missed, and may be no dead letters either."""
    assert not judged(others=[SMALL]).failed
    assert judged(others=[SMALL]).published == 4
    assert judged(others=[dataclasses.replace(SMALL, receipts=[])]).lost == 1
    assert judged(others=[CANCELLED]).lost == 1
    assert (
        judged(others=[dataclasses.replace(SMALL, run={**SMALL.run, "status": "updating"})]).unexpected == 1
    )
    dead_letter = ObservedDeadLetter(queue="user-sync.XQ", message_id="2", user="dan", reason="gave_up")
    assert judged(others=[SMALL], dead_letters=[LETTER, dead_letter]).outage_dead_letters == 1


def test_of_a_cancelled_run_people_may_be_pending_and_none_is_missing() -> None:
    """P3: who was not done has a receipt that says so."""
    expectation = dataclasses.replace(SMALL.expectation, status="cancelled", outcomes=None, reasons=None)
    cancelled = dataclasses.replace(CANCELLED, expectation=expectation)
    assert not judged(others=[cancelled]).failed
    assert judged(others=[dataclasses.replace(cancelled, receipts=[])]).lost == 1
    assert judged(others=[dataclasses.replace(SMALL, expectation=expectation)]).unexpected == 1
