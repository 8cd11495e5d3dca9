"""Undo: a mistake in a tenant's mapping is put back; whole runs in one process, over real HTTP."""

from __future__ import annotations

import dataclasses
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.client import ScimSkolonClient
from producers.resume import resume_run
from queues.message import tenant_sync_message, with_proof
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from sandbox.municipality.expectation import attributes_of
from sandbox.skolon.faults import Fault as SkolonFault
from schemas.dead_letter_reasons import Reason
from schemas.errors import Dependency, TransientError, UsageError
from schemas.messages.messages import USER_SYNC_QUEUE, SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.receipt import Receipt
    from schemas.runs.run import RunSummary

PEOPLE = 60
IDP, FIRST_NAME = Attribute.IDP_IDENTIFIER, Attribute.FIRST_NAME
#: Attributes of each Skolon user by its id.
State = dict[str, dict[str, str | None]]


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    """Have a municipality whose administrator took the wrong source for everybody's Idp identifier."""
    with serve_environment(tmp_path, users=PEOPLE) as served:
        sources = {**served.tenant["sources"], "idp_identifier": ["onPremisesImmutableId"]}
        # Whoever has no value there keeps the old one; and no limit, but where a test is about one.
        mistake: dict[str, Any] = {
            **served.tenant,
            "sources": sources,
            "guard": {"changed": None, "identity_changed": None},
        }
        yield dataclasses.replace(served, tenant=mistake)


@pytest.fixture
def before(made_up: Environment) -> State:
    """Give what Skolon held before anything ran."""
    return state(made_up)


@pytest.fixture
def mistaken(before: State, made_up: Environment, sync: InProcessSync) -> RunSummary:
    """Make a run that has written the mistake to all users."""
    summary = sync.run()
    assert summary.run.status is Status.COMPLETED
    assert summary.counts[Outcome.UPDATED] > PEOPLE / 2
    assert len(differing(before, state(made_up))) == written(sync, summary)
    return summary


def state(made_up: Environment) -> State:
    return {user["id"]: attributes_of(user) for user in made_up.skolon_users()}


def differing(one: State, other: State) -> list[str]:
    return sorted(user for user in one if one[user] != other[user])


def undo(sync: InProcessSync, run: int, **request: Any) -> RunSummary:
    """Have a run undone, as the command does, and wait for its end."""
    event = str(uuid.uuid4())
    wanted = SyncRequest(tenant=TENANT_KEY, mode=Mode.UNDO, reverts_run_id=run, **request)
    message = tenant_sync_message(wanted, event_id=event)
    sync.broker.publish([with_proof(message, sync.store.message_cipher.sign_trigger)])
    while (opened := sync.store.triggers.find_run(event)) is None:
        time.sleep(0.02)
    return sync.wait(opened.id)


def counts(summary: RunSummary) -> dict[str, int]:
    return {str(outcome): count for outcome, count in summary.counts.items() if count}


def test_every_value_is_put_back(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """After an undo each of Skolon's users holds, value by value, what it held before the run."""
    made_up.microsoft.requests.reset()

    summary = undo(sync, mistaken.run.id)

    assert summary.run.status is Status.COMPLETED
    assert summary.run.reverts_run_id == mistaken.run.id
    assert counts(summary) == {"updated": written(sync, mistaken)}
    assert summary.skipped == 0
    assert state(made_up) == before
    assert made_up.microsoft.requests.counts() == {}


def test_an_undo_can_be_undone(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """The undo of an undo writes again what the run had written; and once more it is put back."""
    after = state(made_up)
    first = undo(sync, mistaken.run.id)

    second = undo(sync, first.run.id)
    assert state(made_up) == after
    third = undo(sync, second.run.id)

    assert state(made_up) == before
    assert counts(first) == counts(second) == counts(third)


def test_a_second_undo_finds_nothing_to_do(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """P4: twice is once."""
    undo(sync, mistaken.run.id)
    made_up.skolon.forget_requests()
    again = undo(sync, mistaken.run.id)
    assert counts(again) == {"unchanged": written(sync, mistaken)}
    assert (again.skipped, again.as_before) == (0, written(sync, mistaken))
    told = sync.store.receipts.list(again.run.id, outcome=Outcome.UNCHANGED, limit=PEOPLE)
    assert all("has its former value already: " in (each.detail or "") for each in told)
    assert "PATCH user" not in made_up.skolon.requests()
    assert state(made_up) == before


def test_a_dry_undo_only_reads(made_up: Environment, sync: InProcessSync, mistaken: RunSummary) -> None:
    """P1: it counts what would be put back, and nothing but reading reaches Skolon."""
    after = state(made_up)
    made_up.skolon.forget_requests()
    tried = undo(sync, mistaken.run.id, dry_run=True)
    assert counts(tried) == {"would_update": written(sync, mistaken)}
    assert state(made_up) == after
    assert not any(kind.startswith("PATCH") for kind in made_up.skolon.requests())


def written(sync: InProcessSync, summary: RunSummary) -> int:
    """Return how many users a run has written, those with a bad value among them."""
    return sync.store.change_totals.for_run(summary.run.id).users


def changed_people(sync: InProcessSync, run: int) -> list[Receipt]:
    return sync.store.receipts.list(run, outcome=Outcome.UPDATED, limit=PEOPLE)


def test_only_who_is_named_is_put_back(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """With `--user` everybody else stays as the run left them; who was not changed gets a clear answer."""
    changed = changed_people(sync, mistaken.run.id)[:2]
    other = sync.store.receipts.list(mistaken.run.id, outcome=Outcome.NOT_FOUND)[0]
    after = state(made_up)

    summary = undo(sync, mistaken.run.id, users=(*(each.entra_id for each in changed), other.entra_id))

    assert counts(summary) == {"updated": 2, "unchanged": 1}
    assert differing(after, state(made_up)) == sorted(str(each.skolon_id) for each in changed)
    assert all(state(made_up)[str(each.skolon_id)] == before[str(each.skolon_id)] for each in changed)
    receipt = sync.store.receipts.get(summary.run.id, other.entra_id)
    assert receipt is not None
    assert "has changed nothing of this user" in (receipt.detail or "")


def test_what_changed_since_is_left_and_told(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """Values that another client wrote after the run stay, attribute by attribute, and are counted."""
    several = next(each for each in changed_people(sync, mistaken.run.id) if FIRST_NAME in each.changed)
    single = next(each for each in changed_people(sync, mistaken.run.id) if each.changed == (IDP,))
    rename(made_up, str(several.skolon_id), givenName="Omdöpt")
    rename(made_up, str(single.skolon_id), familyName="Omdöpt")
    one = str(several.skolon_id)

    summary = undo(sync, mistaken.run.id)

    # Whoever was renamed in an attribute that the run had not written gets everything back.
    expected = {**before, one: {**before[one], "first_name": "Omdöpt"}}
    expected[str(single.skolon_id)] = {**before[str(single.skolon_id)], "last_name": "Omdöpt"}
    assert state(made_up) == expected
    assert summary.skipped == summary.as_json()["skipped"] == 1
    receipt = sync.store.receipts.get(summary.run.id, several.entra_id)
    assert receipt is not None
    assert receipt.skipped == (FIRST_NAME,)
    assert receipt.outcome is Outcome.UPDATED
    assert receipt.detail == "skipped, because it changed since: First name"


def rename(made_up: Environment, user_id: str, **names: str) -> None:
    """Change a Skolon user as another source would."""
    users = made_up.skolon_users()
    for user in users:
        if user["id"] == user_id:
            user["name"] = {**user["name"], **names}
    made_up.skolon.fill(made_up.tenant["organisation"], users)


def test_who_is_gone_is_not_found(made_up: Environment, sync: InProcessSync, mistaken: RunSummary) -> None:
    """Somebody who has left Skolon meanwhile stops nobody."""
    gone = str(changed_people(sync, mistaken.run.id)[0].skolon_id)
    left = [user for user in made_up.skolon_users() if user["id"] != gone]
    made_up.skolon.fill(made_up.tenant["organisation"], left)

    summary = undo(sync, mistaken.run.id)

    assert summary.run.status is Status.COMPLETED
    assert counts(summary) == {"not_found": 1, "updated": written(sync, mistaken) - 1}


@pytest.mark.parametrize(
    "fault",
    [
        SkolonFault(kind="changed", times=5, method="PATCH"),
        SkolonFault(kind="cut", times=5, method="PATCH"),
        SkolonFault(kind="status", status=503, times=10),
        SkolonFault(kind="status", status=429, times=10, retry_after="0.25"),
        SkolonFault(kind="truncated", times=5, method="PATCH"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_what_passes_harms_no_undo(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary, fault: SkolonFault
) -> None:
    """P4, P8: changes under our hands, lost answers and outages leave no trace in what is put back."""
    made_up.skolon.faults.add(fault)
    summary = undo(sync, mistaken.run.id)
    assert summary.run.status is Status.COMPLETED
    assert counts(summary) == {"updated": written(sync, mistaken)}
    assert state(made_up) == before


def test_whom_skolon_refuses_is_a_dead_letter(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """P7: a value that somebody else has meanwhile is one dead letter; when mended, a second undo does it."""
    unlucky = str(changed_people(sync, mistaken.run.id)[0].skolon_id)
    taken = SkolonFault(
        kind="status", status=409, scim_type="uniqueness", times=None, method="PATCH", user_id=unlucky
    )
    made_up.skolon.faults.add(taken)

    summary = undo(sync, mistaken.run.id)

    assert summary.reasons == {Reason.UNDO_FAILED: 1}
    assert differing(before, state(made_up)) == [unlucky]
    made_up.skolon.faults.clear()
    undo(sync, mistaken.run.id)
    assert state(made_up) == before


def test_bad_credentials_halt_an_undo(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """P7: one cause and no dead letters; the resumed undo restores all users."""
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None, path_kind="user"))
    halted = undo(sync, mistaken.run.id)
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.SKOLON_CREDENTIALS)
    made_up.skolon.faults.clear()
    assert resume(sync, halted).run.status is Status.COMPLETED
    assert state(made_up) == before


def test_a_newer_run_wins_over_a_halted_undo(
    made_up: Environment, sync: InProcessSync, mistaken: RunSummary
) -> None:
    """P4: whom a newer run has published is left to it by the undo that goes on afterwards."""
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None, path_kind="user"))
    halted = undo(sync, mistaken.run.id)
    # Whoever was in hand at that moment meets the fault too, and is not put back after all.
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    made_up.skolon.faults.clear()
    sync.run()
    after = state(made_up)
    late = resume(sync, halted)
    assert set(counts(late)) == {"superseded"}
    assert state(made_up) == after


def resume(sync: InProcessSync, halted: RunSummary, *, override_guard: bool = False) -> RunSummary:
    """Resume a halted run, once nobody works on what halted it any more."""
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    resume_run(halted.run.id, store=sync.store, publisher=sync.broker, override_guard=override_guard)
    return sync.wait(halted.run.id)


def limit(sync: InProcessSync, count: int | None) -> None:
    changes = None if count is None else {"count": count, "share": 0.0}
    sync.store.tenants.change(TENANT_KEY, {"guard": {"changed": None, "identity_changed": changes}})


def test_the_guard_watches_an_undo(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """An undo of more people than the guard allows halts; when it is accepted, everybody is put back."""
    limit(sync, 5)
    halted = undo(sync, mistaken.run.id)
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.GUARD_EXCEEDED)
    assert f"of {PEOPLE} users" in (halted.run.detail or "")
    assert resume(sync, halted, override_guard=True).run.status is Status.COMPLETED
    assert state(made_up) == before


def test_an_accepted_undo_passes_the_guard(
    made_up: Environment, sync: InProcessSync, before: State, mistaken: RunSummary
) -> None:
    """Who says beforehand that it is meant, is not asked again."""
    limit(sync, 5)
    assert undo(sync, mistaken.run.id, override_guard=True).run.status is Status.COMPLETED
    assert state(made_up) == before


def test_a_halted_run_is_put_back_in_one_step(
    made_up: Environment, sync: InProcessSync, before: State
) -> None:
    """What the guard has stopped is undone, and the run can no longer be resumed into the same mistake."""
    limit(sync, 10)
    halted = sync.run()
    assert halted.run.cause is Cause.GUARD_EXCEEDED
    assert differing(before, state(made_up))

    undone = undo(sync, halted.run.id, override_guard=True)

    assert undone.run.status is Status.COMPLETED
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    assert state(made_up) == before
    with pytest.raises(UsageError, match="cancelled"):
        resume_run(halted.run.id, store=sync.store, publisher=sync.broker, override_guard=True)


@pytest.mark.parametrize("step", ["update", "finish"])
def test_a_worker_that_dies_leaves_an_undo_right(  # noqa: PLR0913 - the fixtures
    *,
    made_up: Environment,
    sync: InProcessSync,
    before: State,
    mistaken: RunSummary,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """P2, P4: gone between claim and PATCH, or PATCH and receipt: the next delivery does the rest."""
    victim = changed_people(sync, mistaken.run.id)[0]
    target = {"update": ScimSkolonClient, "finish": type(sync.store.receipts)}[step]
    original, died = getattr(target, step), list[str]()

    def dying(*args: Any, **kwargs: Any) -> Any:
        named = victim.entra_id in args or any(getattr(each, "id", None) == victim.skolon_id for each in args)
        if named and not died:
            died.append(step)
            raise TransientError(Dependency.DATABASE, "died here")
        return original(*args, **kwargs)

    monkeypatch.setattr(target, step, dying)
    summary = undo(sync, mistaken.run.id)
    assert died == [step]
    assert counts(summary) == {"updated": written(sync, mistaken)}
    assert state(made_up) == before
