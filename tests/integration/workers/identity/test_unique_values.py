"""A value belongs to one Skolon user: messages in, the end state of Skolon out. All people are made up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import update

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from sandbox.skolon.faults import Fault
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.outcomes import Outcome, Status
from schemas.runs.collision import Collision
from schemas.users.attributes import Attribute
from store import tables
from tests.integration.workers.identity.accounts import account, skolon_user, values
from tests.integration.workers.test_pipeline import directory
from tests.integration.workers.test_undo import undo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from schemas.runs.run import RunSummary

NAMES: Final = ("Anna", "Bo", "Cia", "Dag", "Eva")


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        # The e-mail addresses stay, and the user principal names move.
        sources = {"eppn": ["mail"], "idp_identifier": ["userPrincipalName"]}
        together.store.tenants.change(TENANT_KEY, {"sources": sources})
        yield together


def upn(number: int) -> str:
    return f"upn{number}@k.example"


def person(number: int, name: int) -> dict[str, Any]:
    """Return an account whose user principal name is the one with this number."""
    mail = f"mail{number}@k.example"
    return account(number + 1, NAMES[number], "Andersson", mail, userPrincipalName=upn(name))


def known(number: int, name: int, *, with_external_ids: bool = True) -> dict[str, Any]:
    """Return the Skolon user of an account, with the user principal name that has this number."""
    user = skolon_user(f"s{number}", NAMES[number], "Andersson", f"mail{number}@k.example")
    own = {"eppn": f"mail{number}@k.example", "idpIdentifier": upn(name)}
    external_id = {"externalId": person(number, name)["id"]} if with_external_ids else {}
    return {**user, "userName": upn(name), SKOLON_SCHEMA: own, **external_id}


def fill(made_up: Environment, accounts: Sequence[dict[str, Any]], users: Sequence[dict[str, Any]]) -> None:
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, users)
    for each in accounts:
        directory(made_up).add(each)


def names(made_up: Environment, people: int) -> list[tuple[str, str]]:
    held = [values(made_up, f"s{number}") for number in range(people)]
    return [(user["userName"], user[SKOLON_SCHEMA]["idpIdentifier"]) for user in held]


def outcomes(sync: InProcessSync, run: RunSummary, accounts: Sequence[dict[str, Any]]) -> set[Outcome]:
    receipts = {receipt.entra_id: receipt for receipt in sync.store.receipts.list(run.run.id)}
    return {receipts[each["id"]].outcome for each in accounts}


#: To whom each name goes: who has which name in Entra, where in Skolon each has its own number.
MOVES: Final = [
    pytest.param([1, 0], id="a swap"),
    pytest.param([1, 2, 0], id="a ring of three"),
    pytest.param([2, 0, 1], id="a ring of three, the other way"),
    pytest.param([1, 0, 3, 2], id="two swaps"),
    pytest.param([1, 2, 3, 9], id="a row that ends with a new name"),
    pytest.param([9, 0, 1, 2], id="a row, the other way"),
]


@pytest.mark.parametrize("with_external_ids", [True, False])
@pytest.mark.parametrize("moved", MOVES)
def test_values_change_hands_in_one_run(
    made_up: Environment,
    sync: InProcessSync,
    moved: list[int],
    with_external_ids: bool,  # noqa: FBT001
) -> None:
    """Rows 7 and 8: all heal in the same run, though Skolon takes no user name twice; so does an undo."""
    accounts = [person(number, name) for number, name in enumerate(moved)]
    users = [known(number, number, with_external_ids=with_external_ids) for number in range(len(moved))]
    fill(made_up, accounts, users)
    run = sync.run(users=tuple(each["id"] for each in accounts))
    assert run.run.status is Status.COMPLETED
    assert outcomes(sync, run, accounts) == {Outcome.UPDATED}
    assert names(made_up, len(moved)) == [(upn(name), upn(name)) for name in moved]
    assert sync.store.guard_counters.counts(run.run.id).changed == len(moved)

    undone = undo(sync, run.run.id)
    assert outcomes(sync, undone, accounts) == {Outcome.UPDATED}
    restored = [values(made_up, f"s{number}") for number in range(len(moved))]
    assert restored == users


def test_an_undo_of_a_swap_across_domains_leaves_no_temporary_value(
    made_up: Environment, sync: InProcessSync
) -> None:
    """The undo makes way with another temporary value than the run: it has the other domain."""
    far = "upn1@other.example"
    accounts = [{**person(0, 0), "userPrincipalName": far}, person(1, 0)]
    near, moving = known(0, 0), known(1, 1)
    users = [
        near,
        {**moving, "userName": far, SKOLON_SCHEMA: {**moving[SKOLON_SCHEMA], "idpIdentifier": far}},
    ]
    fill(made_up, accounts, users)
    run = sync.run(users=tuple(each["id"] for each in accounts))
    assert names(made_up, 2) == [(far, far), (upn(0), upn(0))]

    undone = undo(sync, run.run.id)
    assert outcomes(sync, undone, accounts) == {Outcome.UPDATED}
    assert undone.skipped == 0
    assert [values(made_up, f"s{number}") for number in range(2)] == users


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_value_that_two_want_goes_to_its_holder(
    made_up: Environment,
    sync: InProcessSync,
    dry_run: bool,  # noqa: FBT001
) -> None:
    """Row 11: it is not written; the dead letter names the attribute, the Skolon user and the account."""
    holder, other = person(0, 0), person(1, 0)
    fill(made_up, [holder, {**other, "city": "Falun"}], [known(0, 0), known(1, 1)])
    run = sync.run(users=(holder["id"], other["id"]), dry_run=dry_run)
    receipt = sync.store.receipts.get(run.run.id, other["id"])
    assert receipt is not None
    assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.VALUE_TAKEN)
    assert receipt.collision == Collision(
        skolon_id="s0", holder_entra_id=holder["id"], attribute=Attribute.USER_NAME
    )
    assert set(receipt.unwritten) == {Attribute.USER_NAME, Attribute.IDP_IDENTIFIER}
    assert receipt.changed == (Attribute.CITY,)
    assert "k.example" not in str(receipt.detail)
    assert names(made_up, 2) == [(upn(0), upn(0)), (upn(1), upn(1))]
    assert ("addresses" in values(made_up, "s1")) is not dry_run


@pytest.mark.parametrize(
    "external_id",
    [None, "900", "00000000-0000-4000-8000-00000000dead"],
    ids=["blank", "another source's", "of an account that is gone"],
)
def test_a_value_of_a_skolon_user_without_an_account_is_taken(
    made_up: Environment, sync: InProcessSync, external_id: str | None
) -> None:
    """Row 11: no account moves the value away."""
    stranger = known(0, 0, with_external_ids=False)
    if external_id is not None:
        stranger["externalId"] = external_id
    mover = person(1, 0)
    fill(made_up, [mover], [stranger, known(1, 1)])
    run = sync.run(users=(mover["id"],))
    receipt = sync.store.receipts.get(run.run.id, mover["id"])
    assert receipt is not None
    assert receipt.reason is Reason.VALUE_TAKEN
    assert receipt.collision == Collision(skolon_id="s0", holder_entra_id=None, attribute=Attribute.USER_NAME)
    assert values(made_up, "s0") == stranger


def test_a_holder_outside_the_run_is_not_awaited(made_up: Environment, sync: InProcessSync) -> None:
    """The rest is written; the next run of all users heals it."""
    accounts = [person(0, 1), person(1, 0)]
    fill(made_up, accounts, [known(0, 0), known(1, 1)])
    alone = sync.run(users=(accounts[0]["id"],))
    assert alone.reasons == {Reason.VALUE_TAKEN: 1}
    assert names(made_up, 2) == [(upn(0), upn(0)), (upn(1), upn(1))]
    together = sync.run()
    assert outcomes(sync, together, accounts) == {Outcome.UPDATED}
    assert names(made_up, 2) == [(upn(1), upn(1)), (upn(0), upn(0))]


def test_a_swap_that_skolon_refuses_leaves_no_temporary_value(
    made_up: Environment, sync: InProcessSync
) -> None:
    """The first has made way, and the second may not move: the first gets its own value back."""
    accounts = [person(0, 1), person(1, 0)]
    fill(made_up, accounts, [known(0, 0), known(1, 1)])
    refused = Fault(kind="status", status=400, times=None, method="PATCH", user_id="s1", patched="userName")
    made_up.skolon.faults.add(refused)
    run = sync.run(users=tuple(each["id"] for each in accounts))
    assert run.reasons == {Reason.VALUE_TAKEN: 1, Reason.REJECTED_BY_SKOLON: 1}
    assert names(made_up, 2) == [(upn(0), upn(1)), (upn(1), upn(0))]


def leave_temporary_values(made_up: Environment, sync: InProcessSync) -> list[dict[str, Any]]:
    """Have a swap halted and cancelled once the first has made way; return the accounts."""
    accounts = [person(0, 1), person(1, 0)]
    fill(made_up, accounts, [known(0, 0), known(1, 1)])
    made_up.skolon.faults.add(Fault(kind="status", status=401, times=None, method="PATCH", user_id="s1"))
    halted = sync.run(users=tuple(each["id"] for each in accounts))
    assert halted.run.status is Status.HALTED
    sync.store.runs.cancel(halted.run.id)
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    made_up.skolon.faults.clear()
    # No worker has the users in hand any more.
    with sync.store.database.transaction() as connection:
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        connection.execute(update(tables.receipts).values(claimed_at=long_ago))
    temporary = f"{accounts[0]['id']}@k.example"
    assert names(made_up, 2) == [(temporary, temporary), (upn(1), upn(1))]
    return accounts


@pytest.mark.parametrize("source", ["userPrincipalName", "onPremisesImmutableId"], ids=["taken", "blank"])
def test_a_later_run_replaces_the_temporary_values_of_a_cancelled_one(
    made_up: Environment, sync: InProcessSync, source: str
) -> None:
    """What cannot be the right value is the one from before, also where Entra has no value any more."""
    accounts = leave_temporary_values(made_up, sync)
    sync.store.tenants.change(TENANT_KEY, {"sources": {"eppn": ["mail"], "idp_identifier": [source]}})
    later = sync.run(users=(accounts[0]["id"],))
    assert later.reasons == {Reason.VALUE_TAKEN: 1}
    assert names(made_up, 2) == [(upn(0), upn(0)), (upn(1), upn(1))]


def test_a_dead_letter_says_that_a_temporary_value_stays(made_up: Environment, sync: InProcessSync) -> None:
    """Another Skolon user has got the value from before."""
    accounts = leave_temporary_values(made_up, sync)
    (organisation,) = made_up.skolon.organisations
    made_up.skolon.fill(organisation, [*made_up.skolon_users(), known(2, 0, with_external_ids=False)])
    later = sync.run(users=(accounts[0]["id"],))
    receipt = sync.store.receipts.get(later.run.id, accounts[0]["id"])
    assert receipt is not None
    assert receipt.reason is Reason.VALUE_TAKEN
    assert "Skolon user s0 keeps a temporary value" in str(receipt.detail)
    assert "k.example" not in str(receipt.detail)


def test_a_temporary_value_is_not_kept_when_its_source_goes_blank(
    made_up: Environment, sync: InProcessSync
) -> None:
    """The next source's value replaces it: it is no identity value."""
    sources = ["onPremisesImmutableId", "userPrincipalName"]
    sync.store.tenants.change(TENANT_KEY, {"sources": {"eppn": ["mail"], "idp_identifier": sources}})
    mover = {**person(0, 0), "onPremisesImmutableId": upn(7)}
    user = {**known(0, 7), "userName": upn(0)}
    fill(made_up, [mover], [user])
    assert outcomes(sync, sync.run(users=(mover["id"],)), [mover]) == {Outcome.UNCHANGED}

    left = {**user, SKOLON_SCHEMA: {**user[SKOLON_SCHEMA], "idpIdentifier": f"{mover['id']}@k.example"}}
    directory(made_up).change(mover["id"], {"onPremisesImmutableId": None})
    fill(made_up, [], [left])
    later = sync.run(users=(mover["id"],))
    assert outcomes(sync, later, [mover]) == {Outcome.UPDATED}
    assert names(made_up, 1) == [(upn(0), upn(0))]


def test_a_dry_run_foretells_a_swap(made_up: Environment, sync: InProcessSync) -> None:
    """A holder that would move away is no obstacle."""
    accounts = [person(0, 1), person(1, 0)]
    fill(made_up, accounts, [known(0, 0), known(1, 1)])
    run = sync.run(users=tuple(each["id"] for each in accounts), dry_run=True)
    assert outcomes(sync, run, accounts) == {Outcome.WOULD_UPDATE}
    assert names(made_up, 2) == [(upn(0), upn(0)), (upn(1), upn(1))]


def test_forty_names_are_handed_over(made_up: Environment, sync: InProcessSync) -> None:
    """Row 8: 40 of 40 in one run, whoever comes first."""
    accounts, users = [], []
    for number in range(40):
        leaver = account(2 * number + 101, "Lea", "Gammal", f"old{number}@k.example")
        newcomer = account(2 * number + 102, "Nya", "Ny", f"new{number}@k.example")
        recycled = upn(number)
        for each, name in ((leaver, f"left{number}@k.example"), (newcomer, recycled)):
            each["userPrincipalName"] = name
            user = skolon_user(each["id"][-4:], each["givenName"], each["surname"], each["mail"])
            present = recycled if each is leaver else f"temporary{number}@k.example"
            own = {"eppn": each["mail"], "idpIdentifier": present}
            users.append({**user, "userName": present, "externalId": each["id"], SKOLON_SCHEMA: own})
        accounts += [newcomer, leaver]
    fill(made_up, accounts, users)
    run = sync.run()
    assert run.run.status is Status.COMPLETED
    assert outcomes(sync, run, accounts) == {Outcome.UPDATED}
    for each in accounts:
        held = values(made_up, each["id"][-4:])
        assert held["userName"] == held[SKOLON_SCHEMA]["idpIdentifier"] == each["userPrincipalName"]


def test_unchanged_users_cost_no_more(made_up: Environment, sync: InProcessSync) -> None:
    """An unchanged user costs one search, and no request for uniqueness."""
    accounts = [person(number, number) for number in range(3)]
    fill(made_up, accounts, [known(number, number) for number in range(3)])
    made_up.skolon.forget_requests()
    run = sync.run(users=tuple(each["id"] for each in accounts))
    assert outcomes(sync, run, accounts) == {Outcome.UNCHANGED}
    assert set(made_up.skolon.requests()) <= {"POST search", "POST token"}
    assert made_up.skolon.requests()["POST search"] <= len(accounts)
