"""A delta forgets no one: what was corrected in Skolon heals, though Graph tells of no change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome, Status
from tests.integration.producers.delta.steps import asked, counts, delta, directory, rename
from tests.integration.workers.identity.accounts import account, skolon_user, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas.runs.run import RunSummary

DOMAIN = "k.example"

#: Of whom each was not brought up to date, and why.
LACKING, DOUBLED, SUSPICIOUS = UNRESOLVED = (
    account(1, "Anna", "Andersson", f"anna@{DOMAIN}"),
    account(2, "Bo", "Berg", f"bo@{DOMAIN}"),
    account(3, "Carl", "Carlsson", f"carl@{DOMAIN}"),
)
FINE = account(5, "Eva", "Ek", f"eva@{DOMAIN}")


def known(user: dict[str, Any], skolon_id: str, *, surname: str = "Gammal", **further: Any) -> dict[str, Any]:
    return skolon_user(skolon_id, user["givenName"], surname, user["mail"], **further)


#: Bo is there twice, Carl's address is a stranger's, Anna is missing, and Eva is as she should be.
BEFORE = [
    known(DOUBLED, "bo-1", surname="Berg", userName="bo-1"),
    known(DOUBLED, "bo-2", surname="Berg", userName="bo-2"),
    skolon_user("carl", "Solros", "Fjäril", SUSPICIOUS["mail"]),
    known(FINE, "eva", surname="Ek", externalId=FINE["id"]),
]
#: What an administrator has made of it.
AFTER = [
    known(LACKING, "anna", surname="Andersson"),
    known(DOUBLED, "bo-1", surname="Berg", userName="bo-1"),
    skolon_user("carl", "Solros", "Fjäril", SUSPICIOUS["mail"], externalId=SUSPICIOUS["id"]),
    known(FINE, "eva", surname="Ek", externalId=FINE["id"]),
]


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=1) as served:
        served.tenant["birthdays"] = False
        for person in served.municipality:
            directory(served).remove(person.entra["id"])
        for user in (*UNRESOLVED, FINE):
            directory(served).add(user)
        fill(served, BEFORE)
        yield served


@pytest.fixture
def read_again() -> int:
    return 999


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        first = together.run()
        reasons = {each.entra_id: each.reason for each in together.store.receipts.list(first.run.id)}
        assert reasons[DOUBLED["id"]] is Reason.AMBIGUOUS_MATCH
        assert reasons[SUSPICIOUS["id"]] is Reason.SUSPICIOUS_MATCH
        assert first.read_again == 0
        made_up.microsoft.requests.reset()
        yield together


def fill(made_up: Environment, users: list[dict[str, Any]]) -> None:
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, users)


def outcomes(sync: InProcessSync, summary: RunSummary) -> dict[str, Outcome]:
    return {each.entra_id: each.outcome for each in sync.store.receipts.list(summary.run.id)}


def test_what_was_corrected_in_skolon_heals(made_up: Environment, sync: InProcessSync) -> None:
    """Users that were missing, doubled or suspicious are right after a delta, and then left in peace."""
    fill(made_up, AFTER)

    summary = delta(sync)

    assert summary.run.status is Status.COMPLETED
    assert outcomes(sync, summary) == {each["id"]: Outcome.UPDATED for each in UNRESOLVED}
    assert (summary.published, summary.read_again) == (3, 3)
    assert summary.as_json()["read_again"] == 3
    for user, skolon_id in zip(UNRESOLVED, ("anna", "bo-1", "carl"), strict=True):
        assert values(made_up, skolon_id)["externalId"] == user["id"]
    assert asked(made_up) == {"delta": 1, "batch": 1, "batched user": 3}

    following = delta(sync)

    assert (following.published, following.read_again) == (0, 0)
    assert asked(made_up) == {"delta": 1}


def test_what_is_still_wrong_is_tried_in_each_delta(made_up: Environment, sync: InProcessSync) -> None:
    """P3: each has a receipt in each delta, and no user that was fine is among them."""
    for _ in range(2):
        summary = delta(sync)
        assert outcomes(sync, summary) == {
            LACKING["id"]: Outcome.NOT_FOUND,
            DOUBLED["id"]: Outcome.DEAD_LETTERED,
            SUSPICIOUS["id"]: Outcome.DEAD_LETTERED,
        }
        assert asked(made_up) == {"delta": 1, "batch": 1, "batched user": 3}


def test_the_guard_does_not_count_them_again(sync: InProcessSync) -> None:
    """A user that was not found before does not use up the limit of users that are not found."""
    sync.store.tenants.change(TENANT_KEY, {"guard": {"not_found": {"count": 0, "share": 0.0}}})
    summary = delta(sync)
    assert (summary.run.status, summary.counts[Outcome.NOT_FOUND]) == (Status.COMPLETED, 1)


def test_a_user_that_changed_is_read_once(made_up: Environment, sync: InProcessSync) -> None:
    """A user of whom the delta tells anyway is not read by id as well."""
    rename(made_up, LACKING["id"], "Nyast")
    fill(made_up, AFTER)

    summary = delta(sync)

    assert (summary.published, summary.read_again) == (3, 2)
    assert asked(made_up) == {"delta": 1, "batch": 1, "batched user": 2}
    assert values(made_up, "anna")["name"]["familyName"] == "Nyast"


@pytest.mark.parametrize("read_again", [1, 2])
def test_those_that_were_tried_longest_ago_come_first(
    made_up: Environment, sync: InProcessSync, read_again: int
) -> None:
    """However many there are, a delta reads a bounded number again, and every one has its turn."""
    seen: set[str] = set()
    for _ in range(3 - read_again + 1):
        summary = delta(sync)
        assert summary.published == read_again
        seen |= set(outcomes(sync, summary))
    assert seen == {each["id"] for each in UNRESOLVED}
    assert asked(made_up)["delta"] == 3 - read_again + 1


def test_who_left_entra_is_resolved(made_up: Environment, sync: InProcessSync) -> None:
    """A removed user is out of scope by the delta's own word, and is not asked for again."""
    directory(made_up).remove(LACKING["id"])
    assert outcomes(sync, delta(sync))[LACKING["id"]] is Outcome.OUT_OF_SCOPE
    assert LACKING["id"] not in outcomes(sync, delta(sync))


def test_runs_that_do_not_read_them_again(made_up: Environment, sync: InProcessSync) -> None:
    """A dry run, a run of named users and a run of all users read no user because it is unresolved."""
    assert delta(sync, dry_run=True).published == 0
    assert delta(sync, users=(FINE["id"],)).published == 1
    everyone = sync.run()
    assert (everyone.published, everyone.read_again) == (4, 0)
    assert "batch" not in asked(made_up)


def test_a_named_user_that_heals_is_resolved(made_up: Environment, sync: InProcessSync) -> None:
    """What a run of one user has settled, the next delta leaves alone."""
    fill(made_up, AFTER)
    assert counts(sync.run(users=(LACKING["id"],))) == {"updated": 1}
    assert set(outcomes(sync, delta(sync))) == {DOUBLED["id"], SUSPICIOUS["id"]}


FAULTS = [
    pytest.param(
        Fault(effect=Effect.ERROR, kind=Kind.BATCH, status=501, code="NotImplemented"), id="refused"
    ),
    pytest.param(Fault(effect=Effect.ERROR, kind=Kind.BATCH, status=403, code="Forbidden"), id="forbidden"),
    pytest.param(Fault(effect=Effect.ERROR, kind=Kind.BATCH, status=503), id="away"),
    pytest.param(Fault(effect=Effect.ERROR, kind=Kind.USER, status=429, times=2), id="two throttled"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_batches_that_fail_cost_no_user(made_up: Environment, sync: InProcessSync, fault: Fault) -> None:
    """P8: without batches, or where some of one fail, the users are read one by one."""
    fill(made_up, AFTER)
    made_up.microsoft.faults.add(fault)
    summary = delta(sync)
    assert (summary.run.status, counts(summary)) == (Status.COMPLETED, {"updated": 3})
    assert delta(sync).published == 0
