"""Replays of dead letters: whole ways in one process, over real HTTP, with queues in memory."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from producers.dead_letters.cleanup import DeadLetterCleanup
from producers.dead_letters.precheck import Precheck, precheck
from producers.dead_letters.replay import Replay
from producers.dead_letters.replay_request import ReplayHooks, ReplayRequest
from queues.message import tenant_page_message, tenant_sync_message, user_sync_message
from queues.middleware.failures import utc_now
from queues.middleware.message_history import as_dead_letter
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import DOMAIN
from sandbox.skolon.faults import Fault as SkolonFault
from schemas.dead_letter_reasons import Reason
from schemas.errors import HaltError
from schemas.messages.dead_letter_filter import DeadLetterFilter
from schemas.messages.messages import (
    METADATA_KEY,
    TENANT_PAGES_QUEUE,
    TENANT_SYNC_QUEUE,
    USER_SYNC_QUEUE,
    SyncRequest,
    TenantPage,
    UserSync,
)
from schemas.outcomes import Cause, Outcome, Stage, Status
from schemas.runs.operation import OperationStatus
from schemas.runs.sync_result import Failure
from schemas.timestamps import timestamp
from store.maintenance.pruning import Limits
from tests.contract.store.factories import begin_run
from workers.dry_run.replay_forecast import ReplayForecast, forecast_replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.sandbox.in_process_sync import InProcessSync
    from producers.dead_letters.replay_request import ReplayProgress
    from schemas.runs.operation import Operation
    from schemas.runs.run import RunSummary

PEOPLE = 50
#: All users fail here, and no guard is to halt that.
SETTINGS = {"guard": {"failed": None}}
LOST = Failure(reason=Reason.BUG, stage=Stage.RECORD, detail="made up")
#: Skolon refuses every search: nobody can be matched, for a reason that is nobody's but the user's.
REFUSES: dict[str, Any] = {
    "kind": "status",
    "status": 400,
    "times": None,
    "path_kind": "search",
    "searched": DOMAIN,
}


@pytest.fixture
def failed(made_up: Environment, sync: InProcessSync) -> RunSummary:
    """Have a run in which everybody who is looked for in Skolon became a dead letter."""
    made_up.skolon.faults.add(SkolonFault(**REFUSES))
    summary = sync.run()
    made_up.skolon.faults.clear()
    assert summary.run.status is Status.COMPLETED
    assert summary.counts[Outcome.DEAD_LETTERED] > PEOPLE / 2
    return summary


def replay(sync: InProcessSync, wanted: DeadLetterFilter | None = None, **requests: Any) -> Operation:
    """Replay what there is, as the command does."""
    chosen, counts = wanted or DeadLetterFilter(), Precheck()
    limit = requests.pop("limit", None)
    hooks = {name: requests.pop(name) for name in ("on_progress", "is_cancelled") if name in requests}
    list(precheck(chosen, limit=limit, store=sync.store, broker=sync.broker, counts=counts))
    request = ReplayRequest(
        selection=chosen, expected=counts.expected, reasons=counts.reasons, operator="tester", **requests
    )
    return Replay(request, store=sync.store, broker=sync.broker, hooks=ReplayHooks(**hooks)).run()


def dead_letters(sync: InProcessSync, queue: str = USER_SYNC_QUEUE) -> list[dict[str, Any]]:
    with sync.broker.browse_dead_letters(queue) as browser:
        return [json.loads(found.dead_letter.body) for found in browser]


def put(sync: InProcessSync, message: Any, dead_letter: Failure = LOST) -> None:
    sync.broker.publish_dead_letter(as_dead_letter(message, dead_letter, now=utc_now(), version="0"))


def counts(sync: InProcessSync, run: int) -> dict[str, int]:
    summary = sync.store.runs.summary(run)
    return {str(outcome): count for outcome, count in summary.counts.items() if count}


def as_expected(made_up: Environment, sync: InProcessSync, run: int, *, stale: int = 0) -> None:
    """Assert that a run has done, at last, what it would have done without any fault.

    At most `stale` dead letters are of users that have an outcome by now.
    """
    assert counts(sync, run) == made_up.municipality.expected_outcomes("first")
    assert sync.store.runs.summary(run).run.status is Status.COMPLETED
    assert made_up.wrong_users() == []
    assert 0 <= len(dead_letters(sync)) - counts(sync, run)["dead_lettered"] <= stale


def test_what_is_mended_goes_through(made_up: Environment, sync: InProcessSync, failed: RunSummary) -> None:
    """P3, P4: every receipt gets the outcome that it would have had, and the letters are gone."""
    before = len(dead_letters(sync))
    operation = replay(sync, max_failed=1)
    assert operation.status is OperationStatus.COMPLETED
    as_expected(made_up, sync, failed.run.id)
    expected = made_up.municipality.expected_outcomes("first")
    assert operation.counts["published"] == before
    assert operation.counts["updated"] == expected["updated"]
    assert operation.counts["dead_lettered"] == expected["dead_lettered"] == len(dead_letters(sync))
    assert {
        dead_letter["options"][METADATA_KEY]["replay"]["operation"] for dead_letter in dead_letters(sync)
    } == {operation.id}
    assert sync.store.operations.get(operation.id) == operation


def test_a_failed_replay_does_not_change_since_when(sync: InProcessSync) -> None:
    """Neither the receipt nor the dead letter says that the user has failed only since the replay."""
    run = sync.run().run.id
    [before] = [each for each in dead_letters(sync) if reason_of(each) == "ambiguous_match"][:1]
    user = before["kwargs"]["user"]
    receipt = sync.store.receipts.get(run, user)

    replay(sync, DeadLetterFilter(users=(user,)))

    [after] = [each for each in dead_letters(sync) if each["kwargs"]["user"] == user]
    assert after["options"][METADATA_KEY]["dead_since"] == before["options"][METADATA_KEY]["dead_since"]
    replayed = sync.store.receipts.get(run, user)
    assert receipt is not None
    assert replayed is not None
    assert (replayed.operation, replayed.finished) == (1, receipt.finished)


def reason_of(dead_letter: dict[str, Any]) -> str:
    return str(dead_letter["options"][METADATA_KEY]["reason"])


def test_the_hopeless_come_last(made_up: Environment, sync: InProcessSync) -> None:
    """Users with faults of their own, however old, keep no other user from being replayed."""
    mended = next(each for each in made_up.municipality if each.outcome == "updated")
    sync.run()
    made_up.skolon.faults.add(SkolonFault(**{**REFUSES, "searched": mended.entra["mail"]}))
    failed = sync.run(recheck_all=True)
    made_up.skolon.faults.clear()
    assert failed.reasons[Reason.REJECTED_BY_SKOLON] == 1
    hopeless = made_up.municipality.expected_reasons()

    operation = replay(sync)

    assert operation.status is OperationStatus.STOPPED
    assert "rejected_by_skolon" not in sync.store.runs.summary(failed.run.id).reasons
    assert operation.counts["unchanged"] == 1
    for reason in hopeless:
        assert f"{reason}: 1 of the last 1 failed again, more than 20% ({reason} 1)" in (
            operation.detail or ""
        )
    assert operation.counts["dead_lettered"] == len(hopeless)


def test_users_of_a_newer_run_are_obsolete(sync: InProcessSync, failed: RunSummary) -> None:
    """What is foretold is what is done: nothing is written for them, and that is no success."""
    before = len(dead_letters(sync))
    user = dead_letters(sync)[0]["kwargs"]["user"]
    newer = begin_run(sync.store, "newer", user)

    foretold = forecast(sync)

    assert (foretold.obsolete, foretold.tried) == (1, before)
    assert foretold.succeeded == before - 1 - foretold.failures.total()
    done = replay(sync, max_failed=1)
    assert done.counts["superseded"] == 1
    assert newer.id > failed.run.id


def forecast(sync: InProcessSync) -> ReplayForecast:
    """Find out what would become of all letters, as `--dry-run` does."""
    with sync.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
        found = [each.dead_letter for each in browser]
    return forecast_replay(found, sync.handler, original_payload=False)


def test_what_would_become_of_them_is_told_first(
    made_up: Environment, sync: InProcessSync, failed: RunSummary
) -> None:
    """A dry run says who would succeed now and who would not and why, and changes nothing anywhere."""
    before, users = dead_letters(sync), made_up.skolon_users()
    made_up.skolon.faults.add(SkolonFault(**REFUSES))
    refused = forecast(sync)
    assert refused.failures[Reason.REJECTED_BY_SKOLON] > 0
    assert refused.outcomes == {}
    made_up.skolon.faults.clear()

    mended = forecast(sync)

    assert (refused.tried, mended.tried) == (len(before), len(before))
    expected = made_up.municipality.expected_outcomes("first")
    assert mended.outcomes[Outcome.WOULD_UPDATE] >= expected["updated"]
    assert mended.outcomes[Outcome.UNCHANGED] == expected["unchanged"]
    assert mended.outcomes[Outcome.NOT_FOUND] == expected["not_found"]
    reasons = made_up.municipality.expected_reasons()
    assert mended.failures == {Reason(reason): count for reason, count in reasons.items()}
    partly = sum(bool(each.unwritten) and each.outcome == "dead_lettered" for each in made_up.municipality)
    assert mended.partly_written == partly > 0
    assert dead_letters(sync) == before
    assert made_up.skolon_users() == users
    assert sync.store.runs.summary(failed.run.id).counts == failed.counts


def test_bad_credentials_end_a_dry_run(made_up: Environment, sync: InProcessSync, failed: RunSummary) -> None:
    """P7: when nobody can be tried, that is said once, with its cause."""
    assert failed.counts
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None, path_kind="search"))
    with pytest.raises(HaltError, match="skolon_credentials"):
        forecast(sync)


def test_a_replay_stops_at_its_limit(made_up: Environment, sync: InProcessSync, failed: RunSummary) -> None:
    """The first one fails again, so nobody else is tried; the letters are as many as before."""
    before = dead_letters(sync)
    made_up.skolon.faults.add(SkolonFault(**REFUSES))
    operation = replay(sync)
    assert operation.status is OperationStatus.STOPPED
    assert operation.counts["published"] == operation.counts["dead_lettered"] == 1
    assert "1 of the last 1 failed again" in (operation.detail or "")
    assert [dead_letter["message_id"] for dead_letter in dead_letters(sync)] == [
        dead_letter["message_id"] for dead_letter in (*before[1:], before[0])
    ]
    assert counts(sync, failed.run.id) == {str(key): count for key, count in failed.counts.items() if count}


def test_nobody_is_tried_twice_in_one_replay(
    made_up: Environment, sync: InProcessSync, failed: RunSummary
) -> None:
    """P4: with every failure allowed, a replay ends all the same: what came back is for the next one."""
    before = len(dead_letters(sync))
    made_up.skolon.faults.add(SkolonFault(**REFUSES))
    operation = replay(sync, max_failed=1)
    assert operation.status is OperationStatus.COMPLETED
    assert (
        operation.counts["published"]
        == operation.counts["dead_lettered"]
        == before
        == len(dead_letters(sync))
    )
    assert sync.store.runs.summary(failed.run.id).counts == failed.counts


def test_an_outage_makes_no_letter(made_up: Environment, sync: InProcessSync, failed: RunSummary) -> None:
    """P8: while Skolon is down a replay waits, and goes on by itself when it is back."""
    made_up.skolon.faults.add(SkolonFault(kind="status", status=503, times=None))
    waited = 0

    def show(standing: ReplayProgress) -> None:
        nonlocal waited
        waited += bool(standing.results.open)
        if waited == 3:
            made_up.skolon.faults.clear()

    operation = replay(sync, max_failed=1, on_progress=show)
    assert waited >= 3
    assert operation.status is OperationStatus.COMPLETED
    as_expected(made_up, sync, failed.run.id)


def test_a_step_may_take_no_longer_than_allowed(
    made_up: Environment, sync: InProcessSync, failed: RunSummary
) -> None:
    """P8: a replay that was told so does not wait for an outage's end; its people come through later."""
    made_up.skolon.faults.add(SkolonFault(kind="status", status=503, times=None))
    operation = replay(sync, step_timeout=0.1)
    assert operation.status is OperationStatus.STOPPED
    left = failed.counts[Outcome.DEAD_LETTERED] - 1
    assert operation.counts == {"published": 1, "on_their_way": 1, "left": left}
    assert "still pending" in (operation.detail or "")
    made_up.skolon.faults.clear()
    assert replay(sync, max_failed=1).status is OperationStatus.COMPLETED
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    as_expected(made_up, sync, failed.run.id)


def test_a_halting_cause_stops_a_replay(
    made_up: Environment, sync: InProcessSync, failed: RunSummary
) -> None:
    """P7: with bad credentials the letter comes back with the reason it had, and the replay stops."""
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None, path_kind="search"))
    operation = replay(sync)
    assert (operation.status, operation.counts["published"]) == (OperationStatus.STOPPED, 1)
    section = dead_letters(sync)[-1]["options"][METADATA_KEY]
    assert section["reason"] == Reason.REJECTED_BY_SKOLON
    assert Cause.SKOLON_CREDENTIALS in section["detail"]
    assert sync.store.runs.get(failed.run.id).status is Status.COMPLETED


def test_a_newer_run_wins(made_up: Environment, sync: InProcessSync, failed: RunSummary) -> None:
    """P4: users that a newer run has done, or is to do, are left alone by the replay of an older one."""
    sync.run()
    patches = made_up.skolon.requests().get("PATCH user", 0)
    assert replay(sync, DeadLetterFilter(runs=(failed.run.id,)), max_failed=1).counts == {}
    users = [each["kwargs"]["user"] for each in dead_letters(sync) if each["kwargs"]["run"] > failed.run.id]
    begin_run(sync.store, "event", *users, key=TENANT_KEY)
    operation = replay(sync, max_failed=1)
    assert operation.counts == {"published": len(users), "superseded": len(users)}
    assert made_up.skolon.requests().get("PATCH user", 0) == patches
    assert made_up.wrong_users() == []


def test_second_copies_do_nothing(made_up: Environment, sync: InProcessSync, failed: RunSummary) -> None:
    """P4: a letter that is there twice is one user, tried once; the copy is stale then."""
    people = len(dead_letters(sync))
    for fields in dead_letters(sync)[:5]:
        message = user_sync_message(UserSync(**fields["kwargs"]), give_up_after_hours=24)
        put(sync, message.copy(message_id=fields["message_id"]))
    operation = replay(sync, max_failed=1)
    assert operation.counts["published"] == people
    assert DeadLetterCleanup(store=sync.store, broker=sync.broker).tick()
    as_expected(made_up, sync, failed.run.id)


def test_copies_take_no_turn_of_another_user(
    made_up: Environment, sync: InProcessSync, failed: RunSummary
) -> None:
    """With two dead letters of each user, one behind the other, all users are replayed, each once."""
    fields = [each["kwargs"] for each in dead_letters(sync)]
    with sync.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
        for found in browser:
            browser.ack(found)
    refused = Failure(reason=Reason.REJECTED_BY_SKOLON, stage=Stage.MATCH, detail="made up")
    for each in fields:
        for _ in range(2):
            put(sync, user_sync_message(UserSync(**each), give_up_after_hours=24), refused)
    operation = replay(sync, max_failed=1)
    assert operation.counts["published"] == len(fields)
    assert operation.counts.keys().isdisjoint({"left", "settled_before"})
    DeadLetterCleanup(store=sync.store, broker=sync.broker).tick()
    as_expected(made_up, sync, failed.run.id)


def test_two_operators_do_not_disturb_each_other(
    made_up: Environment, sync: InProcessSync, failed: RunSummary
) -> None:
    """P4: replays that cross end both, and everybody is worked on once with effect."""
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(replay, sync, max_failed=1) for _ in range(2)]
        operations = [each.result() for each in both]
    assert {operation.status for operation in operations} == {OperationStatus.COMPLETED}
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    as_expected(made_up, sync, failed.run.id)
    assert made_up.change_totals() == made_up.municipality.expected_changes()


def killed_after(place: str, sync: InProcessSync, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have a replay die right after one of its steps, as SIGKILL would have it; return what mends that."""

    def dying(function: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> None:
            function(*args, **kwargs)
            raise KeyboardInterrupt

        return step

    target = {"reopen": sync.store.replays, "publish": sync.broker}[place]
    monkeypatch.setattr(target, place, dying(getattr(target, place)))
    return monkeypatch.undo


@pytest.mark.parametrize("place", ["reopen", "publish"])
def test_a_killed_replay_is_taken_over(
    made_up: Environment,
    sync: InProcessSync,
    failed: RunSummary,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P2, P4: killed between any two of its steps, it loses nobody, and the next one does the rest."""
    before = {dead_letter["kwargs"]["user"] for dead_letter in dead_letters(sync)}
    mend = killed_after(place, sync, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        replay(sync)
    mend()
    # The user that was published has a result by now, and its old dead letter is still there: it may stay.
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    assert {dead_letter["kwargs"]["user"] for dead_letter in dead_letters(sync)} == before
    operation = replay(sync, max_failed=1)
    assert operation.status is OperationStatus.COMPLETED
    as_expected(made_up, sync, failed.run.id, stale=1 if place == "publish" else 0)
    assert made_up.change_totals() == made_up.municipality.expected_changes()


def test_a_cancelled_replay_leaves_the_rest(sync: InProcessSync, failed: RunSummary) -> None:
    """What is in hand is finished, what is not begun stays where it is, and it is kept that it was so."""
    before = len(dead_letters(sync))
    looks = 0

    def cancelled() -> bool:
        nonlocal looks
        looks += 1
        return looks > 1

    operation = replay(sync, is_cancelled=cancelled, max_failed=1)
    assert operation.status is OperationStatus.CANCELLED
    assert operation.counts["published"] == 1
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    assert len(dead_letters(sync)) >= before - 1
    assert sum(counts(sync, failed.run.id).values()) == failed.published


def test_only_what_was_meant_is_replayed(sync: InProcessSync, failed: RunSummary) -> None:
    """Filter and limit choose; the others stay in their order."""
    before = dead_letters(sync)
    chosen = [dead_letter["kwargs"]["user"] for dead_letter in before[3:6]]
    operation = replay(sync, DeadLetterFilter(users=tuple(chosen)), limit=2, max_failed=1)
    assert operation.counts["published"] == 2
    left = [dead_letter["message_id"] for dead_letter in dead_letters(sync)]
    stayed = [dead_letter["message_id"] for dead_letter in (*before[:3], *before[5:])]
    assert left[: len(stayed)] == stayed
    assert failed.published


@pytest.mark.parametrize("original_payload", [True, False])
def test_users_are_read_afresh_unless_wanted_as_sent(
    made_up: Environment, sync: InProcessSync, failed: RunSummary, *, original_payload: bool
) -> None:
    """By default Graph is asked for each user; with the payload of then it is not, and so may be old."""
    assert failed.published
    made_up.microsoft.requests.reset()
    operation = replay(sync, original_payload=original_payload, max_failed=1)
    assert (operation.original_payload, operation.status) == (original_payload, OperationStatus.COMPLETED)
    asked = made_up.microsoft.requests.counts().get("user", 0)
    # Whose Skolon user is somebody else's by its External Id is asked about, too.
    assert (asked < operation.counts["published"]) is original_payload


def test_what_cannot_be_replayed_stays(sync: InProcessSync, failed: RunSummary) -> None:
    """What is no message of ours, or of a run that is gone, is counted and left."""
    assert failed.published
    strange = UserSync(tenant=TENANT_KEY, run=99, user="somebody", payload=None)
    put(sync, user_sync_message(sync.store.message_cipher.encrypt_user(strange), give_up_after_hours=24))
    sync.broker.put(TENANT_SYNC_QUEUE, b"\xff garbage")
    sync.broker.join(TENANT_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    seen = Precheck()
    list(precheck(DeadLetterFilter(), limit=None, store=sync.store, broker=sync.broker, counts=seen))
    assert {str(obstacle): count for obstacle, count in seen.blocked.items()} == {"run_gone": 1, "foreign": 1}
    assert replay(sync, max_failed=1).status is OperationStatus.COMPLETED
    assert [dead_letter["kwargs"]["run"] for dead_letter in dead_letters(sync)].count(99) == 1


def test_a_letter_whose_receipt_is_pruned_is_not_replayed(sync: InProcessSync, failed: RunSummary) -> None:
    """P4: a newer run has handled these users, so nothing is left to replay.

    A message that comes so late does nothing either, and is no new dead letter.
    """
    newer = sync.run()
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    list(sync.store.pruning.prune(Limits(receipts=tomorrow, runs=tomorrow)))
    late = UserSync(
        tenant=TENANT_KEY, run=failed.run.id, user=dead_letters(sync)[0]["kwargs"]["user"], payload=None
    )
    sync.broker.publish(
        [user_sync_message(sync.store.message_cipher.encrypt_user(late), give_up_after_hours=24)]
    )
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    old, seen = DeadLetterFilter(runs=(failed.run.id,)), Precheck()
    assert list(precheck(old, limit=None, store=sync.store, broker=sync.broker, counts=seen)) == []
    assert not seen.blocked
    seen = Precheck()
    list(precheck(DeadLetterFilter(), limit=None, store=sync.store, broker=sync.broker, counts=seen))
    assert seen.replayable == newer.counts[Outcome.DEAD_LETTERED]


def test_a_lost_page_is_read_when_its_run_goes_on(made_up: Environment, sync: InProcessSync) -> None:
    """P3: replaying the letter of a page resumes the run that was halted for it, and takes the letter."""
    run = sync.store.triggers.open(SyncRequest(tenant=TENANT_KEY), "event").run
    page = TenantPage(tenant=TENANT_KEY, run=run.id, attempt=1, number=1, link=None)
    for _ in range(2):
        put(sync, tenant_page_message(sync.store.message_cipher.sign_page(page), give_up_after_hours=24))
    sync.store.runs.halt(run.id, Cause.BUG, "a page was not read")
    operation = replay(sync)
    assert (operation.status, operation.counts) == (OperationStatus.COMPLETED, {"runs_resumed": 1})
    assert dead_letters(sync, TENANT_PAGES_QUEUE) == []
    sync.wait(run.id)
    as_expected(made_up, sync, run.id)
    put(sync, tenant_page_message(sync.store.message_cipher.sign_page(page), give_up_after_hours=24))
    assert replay(sync, DeadLetterFilter(queues=(TENANT_PAGES_QUEUE,))).counts == {"runs_over": 1}
    assert dead_letters(sync, TENANT_PAGES_QUEUE) == []


def test_a_guarded_run_is_not_resumed_by_a_replay(sync: InProcessSync) -> None:
    """P7: what the guard has halted goes on only when a person says so; the letter stays, and why is said."""
    run = sync.store.triggers.open(SyncRequest(tenant=TENANT_KEY), "event").run
    page = TenantPage(tenant=TENANT_KEY, run=run.id, attempt=1, number=1, link=None)
    put(sync, tenant_page_message(sync.store.message_cipher.sign_page(page), give_up_after_hours=24))
    sync.store.runs.halt(run.id, Cause.GUARD_EXCEEDED, "too many")
    operation = replay(sync)
    assert operation.counts == {"runs_left": 1}
    assert "--override-guard" in (operation.detail or "")
    assert len(dead_letters(sync, TENANT_PAGES_QUEUE)) == 1


def test_a_trigger_is_published_again(made_up: Environment, sync: InProcessSync) -> None:
    """A trigger that failed opens its run when it is replayed, and only one."""
    put(sync, tenant_sync_message(SyncRequest(tenant=TENANT_KEY), event_id="the-event"))
    assert replay(sync).counts == {"triggers": 1}
    assert dead_letters(sync, TENANT_SYNC_QUEUE) == []
    sync.broker.join(TENANT_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    run = sync.store.triggers.find_run("the-event")
    assert run is not None
    sync.wait(run.id)
    as_expected(made_up, sync, run.id)
    assert timestamp(run.started)
