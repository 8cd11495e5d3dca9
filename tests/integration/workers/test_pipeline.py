"""Runs against the stand-ins with their faults switched on, in one process: real HTTP, queues in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from producers.listing_bounds import MAX_SPARSE_PAGES
from producers.resume import publish_pending
from sandbox.microsoft.faults import Effect
from sandbox.microsoft.faults import Fault as GraphFault
from sandbox.microsoft.http_messages import Kind
from sandbox.skolon.faults import Fault as SkolonFault
from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import METADATA_KEY, USER_SYNC_QUEUE
from schemas.outcomes import Cause, Outcome, Status
from schemas.runs.run import WarningKind

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment
    from sandbox.microsoft.directory import Directory
    from sandbox.municipality.municipality import MadeUpUser
    from schemas.runs.run import RunSummary

PEOPLE = 50

#: Those who can have somebody in hand at the same time.
THREADS = 8


def directory(made_up: Environment) -> Directory:
    return next(iter(made_up.microsoft.directories.values()))


def as_expected(made_up: Environment, summary: RunSummary) -> None:
    """Assert that a run did what it would have done without any fault."""
    assert summary.run.status is Status.COMPLETED
    assert counts(summary) == made_up.municipality.expected_outcomes("first")
    assert made_up.wrong_users() == []


def counts(summary: RunSummary) -> dict[str, int]:
    return {str(outcome): count for outcome, count in summary.counts.items() if count}


def dead_letters(sync: InProcessSync) -> list[dict[str, Any]]:
    with sync.broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
        return [json.loads(found.dead_letter.body) for found in browser]


def resume(sync: InProcessSync, summary: RunSummary) -> RunSummary:
    """Resume a halted run, once nobody works on what halted it any more."""
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    run = sync.store.runs.resume(summary.run.id)
    publish_pending(run, store=sync.store, publisher=sync.broker)
    return sync.wait(run.id)


def somebody_to_update(made_up: Environment) -> MadeUpUser:
    return next(each for each in made_up.municipality if each.outcome == "updated" and each.claims)


def stranger(**properties: Any) -> dict[str, Any]:
    """Return an Entra user of whom Skolon knows nothing."""
    name = properties.get("id") or "nobody"
    return {
        "userPrincipalName": f"{name}@elev.exempelkommun.example",
        "mail": f"{name}@elev.exempelkommun.example",
        "otherMails": [],
        "givenName": "Påhittad",
        "surname": "MadeUpUser",
        "accountEnabled": True,
        "userType": "Member",
        **properties,
    }


def crowd(made_up: Environment, people: int) -> None:
    """Add people of whom nothing is asked but that they be counted: more than a page of them."""
    for number in range(people):
        user_id = f"00000000-0000-4000-8000-{number:012d}"
        directory(made_up).add(stranger(id=user_id, accountEnabled=False))


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"client_secret": "another"}, Cause.ENTRA_CREDENTIALS),
        ({"secret_expired": True}, Cause.ENTRA_CREDENTIALS),
        ({"permitted": False}, Cause.ENTRA_PERMISSION),
    ],
)
def test_bad_credentials_at_entra_halt_the_run(
    made_up: Environment, sync: InProcessSync, fault: dict[str, Any], cause: Cause
) -> None:
    """P7: one cause and no dead letters; once it is mended, the resumed run completes."""
    tenant, app = made_up.tenant["entra_tenant_id"], made_up.tenant["client_id"]
    made_up.microsoft.entra.change(tenant, app, **fault)

    halted = sync.run()

    assert (halted.run.status, halted.run.cause) == (Status.HALTED, cause)
    assert dead_letters(sync) == []
    mended = {"client_secret": made_up.tenant["client_secret"], "secret_expired": False, "permitted": True}
    made_up.microsoft.entra.change(tenant, app, **mended)
    as_expected(made_up, resume(sync, halted))


def test_bad_credentials_at_skolon_halt_the_run(made_up: Environment, sync: InProcessSync) -> None:
    """P7, P3: all users stay pending without dead letters, and the resumed run reads them again."""
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None, path_kind="search"))

    halted = sync.run()

    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.SKOLON_CREDENTIALS)
    assert dead_letters(sync) == []
    made_up.skolon.faults.clear()
    as_expected(made_up, resume(sync, halted))


def test_what_a_newer_run_did_is_not_undone(made_up: Environment, sync: InProcessSync) -> None:
    """P4: a halted run that is resumed after a newer one leaves all its users to that one."""
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None, path_kind="search"))
    halted = sync.run()
    # What was in the workers' hands at that moment is refused as well, and not brought to an end of its own.
    sync.broker.join(USER_SYNC_QUEUE, timeout=60_000, fail_fast=False)
    made_up.skolon.faults.clear()
    as_expected(made_up, sync.run())

    late = resume(sync, halted)

    assert late.run.status is Status.COMPLETED
    # Those that need nothing of Skolon may have been done before the run was halted.
    assert late.counts[Outcome.SUPERSEDED] > 0
    assert set(counts(late)) <= {"superseded", "out_of_scope", "dead_lettered"}
    assert made_up.wrong_users() == []


@pytest.mark.parametrize(
    "fault",
    [
        SkolonFault(kind="status", status=503, times=8),
        SkolonFault(kind="status", status=429, times=8, retry_after="0.25"),
        SkolonFault(kind="html", times=6),
        SkolonFault(kind="not_json", times=6, path_kind="search"),
        SkolonFault(kind="truncated", times=6, path_kind="search"),
        SkolonFault(kind="cut", times=6),
        SkolonFault(kind="status", status=500, times=5, method="PATCH"),
        SkolonFault(kind="cut", times=5, method="PATCH"),
        SkolonFault(kind="changed", times=5, method="PATCH"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.method}",
)
def test_what_passes_at_skolon_harms_nobody(
    made_up: Environment, sync: InProcessSync, fault: SkolonFault
) -> None:
    """P8: throttling, outages, odd answers and changes under our hands leave no trace in the result."""
    made_up.skolon.faults.add(fault)

    as_expected(made_up, sync.run())


@pytest.mark.parametrize(
    "fault",
    [
        GraphFault(effect=Effect.ERROR, kind=Kind.USERS, status=429, retry_after="0.312", times=2),
        GraphFault(effect=Effect.ERROR, kind=Kind.USERS, status=503, code="serviceNotAvailable"),
        GraphFault(effect=Effect.HTML, kind=Kind.USERS),
        GraphFault(effect=Effect.GARBAGE, kind=Kind.USERS),
        GraphFault(effect=Effect.TRUNCATED, kind=Kind.USERS),
        GraphFault(effect=Effect.CUT, kind=Kind.USERS),
        GraphFault(effect=Effect.EMPTY_PAGE, kind=Kind.USERS),
        GraphFault(effect=Effect.ERROR, kind=Kind.USERS, status=401, code="InvalidAuthenticationToken"),
    ],
    ids=lambda fault: f"{fault.effect}-{fault.status}",
)
def test_what_passes_at_graph_harms_nobody(
    made_up: Environment, sync: InProcessSync, fault: GraphFault
) -> None:
    """P8: as for Skolon."""
    made_up.microsoft.faults.add(fault)

    as_expected(made_up, sync.run())


def test_a_birthday_never_fails_a_user(made_up: Environment, sync: InProcessSync) -> None:
    """Birthdays that nobody gives leave birth dates as they are: one warning, and no line for each user."""
    fault = GraphFault(effect=Effect.ERROR, kind=Kind.BIRTHDAY, status=403, code="accessDenied", times=None)
    made_up.microsoft.faults.add(fault)

    summary = sync.run()

    assert summary.run.status is Status.COMPLETED
    assert summary.reasons == {
        Reason(name): count for name, count in made_up.municipality.expected_reasons().items()
    }
    unchanged = sync.store.receipts.list(summary.run.id, outcome=Outcome.UNCHANGED)
    assert unchanged
    assert not any("birth date" in (receipt.detail or "") for receipt in unchanged)
    assert [warning.kind for warning in summary.warnings] == [WarningKind.BIRTHDAYS_REFUSED]
    asked = made_up.microsoft.requests.counts()
    # Who asked before it was known is refused too; nobody is asked for after that.
    assert asked.get("birthday", 0) + asked.get("batched birthday", 0) <= THREADS


def test_a_birthday_that_one_user_has_not_is_their_own(made_up: Environment, sync: InProcessSync) -> None:
    """What Graph refuses of one user is told on that user's receipt, and the run has no warning."""
    unlucky = somebody_to_update(made_up).entra["id"]
    sync.run()
    fault = GraphFault(
        effect=Effect.ERROR, kind=Kind.BIRTHDAY, user=unlucky, status=403, code="accessDenied", times=None
    )
    made_up.microsoft.faults.add(fault)

    summary = sync.run()

    receipt = sync.store.receipts.get(summary.run.id, unlucky)
    assert receipt is not None
    assert "birth date not read" in (receipt.detail or "")
    assert summary.warnings == ()


def test_a_user_that_skolon_rejects_stops_nobody(made_up: Environment, sync: InProcessSync) -> None:
    """P7, P9: one rejected user is one dead letter that says who, which run and why."""
    unlucky = somebody_to_update(made_up)
    fault = SkolonFault(
        kind="status",
        status=400,
        scim_type="invalidValue",
        times=None,
        method="PATCH",
        user_id=unlucky.claims,
    )
    made_up.skolon.faults.add(fault)

    summary = sync.run()

    expected = made_up.municipality.expected_outcomes("first")
    assert summary.counts[Outcome.UPDATED] == expected["updated"] - 1
    assert summary.reasons[Reason.REJECTED_BY_SKOLON] == 1
    dead_letter = next(each for each in dead_letters(sync) if each["kwargs"]["user"] == unlucky.entra["id"])
    section = dead_letter["options"][METADATA_KEY]
    assert section["reason"] == "rejected_by_skolon"
    assert section["detail"] == "Skolon refused Birth date (HTTP 400 invalidValue)"
    assert dead_letter["kwargs"]["run"] == summary.run.id


def test_a_user_that_changes_again_and_again_is_a_conflict(made_up: Environment, sync: InProcessSync) -> None:
    """A user that another client keeps changing is given up after five times, with its reason."""
    busy = somebody_to_update(made_up)
    made_up.skolon.faults.add(SkolonFault(kind="changed", times=None, method="PATCH", user_id=busy.claims))

    summary = sync.run()

    assert summary.reasons[Reason.CONFLICT] == 1
    receipt = sync.store.receipts.get(summary.run.id, busy.entra["id"])
    assert receipt is not None
    assert receipt.reason is Reason.CONFLICT


def test_odd_users_have_clear_outcomes(made_up: Environment, sync: InProcessSync) -> None:
    """Users that are not as Graph promises are `invalid_user`, by field; odd values are only odd."""
    odd: dict[str, dict[str, Any]] = {
        "wrong-type": stranger(id="wrong-type", mail=7),
        "fine-null": stranger(id="fine-null", otherMails=None),
        "long": stranger(id="long", givenName="x" * 1025),
        "control": stranger(id="control", surname="Per\x07son"),
        "two-ats": stranger(id="two-ats", mail="a@b@c.example"),
        "fine-250": stranger(id="fine-250", otherMails=[f"m{n}@fine.example" for n in range(250)]),
        "fine-1024": stranger(id="fine-1024", givenName="x" * 1024),
        "fine-quotes": stranger(id="fine-quotes", userPrincipalName='a"b\\c@fine.example'),
        "fine-or": stranger(
            id="fine-or", userPrincipalName='x" or userName pr or userName eq "@fine.example'
        ),
    }
    for user in [*odd.values(), stranger(), stranger(id="not an id")]:
        directory(made_up).add_raw(user)

    summary = sync.run()

    assert summary.run.status is Status.COMPLETED
    assert summary.published == PEOPLE + len(odd) + 2
    receipts = {each.entra_id: each for each in sync.store.receipts.list(summary.run.id, limit=1000)}
    faults = {"wrong-type": "mail", "long": "givenName"}
    faults |= {"control": "Last name", "two-ats": "EPPN"}
    for user_id, field in faults.items():
        assert receipts[user_id].reason is Reason.INVALID_USER
        assert field in (receipts[user_id].detail or "")
    assert {receipts[user_id].outcome for user_id in odd if user_id.startswith("fine")} == {Outcome.NOT_FOUND}
    nameless = [each for each in receipts.values() if each.entra_id.startswith("no-id-page-1-row-")]
    assert {each.reason for each in nameless} == {Reason.INVALID_USER}
    assert len(nameless) == 2
    assert made_up.wrong_users() == []


def test_a_user_without_an_id_is_invalid_however_it_is_read(
    made_up: Environment, sync: InProcessSync
) -> None:
    """P9: a resumed run reads users afresh, and says of one without an id that it has none."""
    crowd(made_up, 300)
    directory(made_up).add_raw(stranger(id="not an id"))
    made_up.skolon.faults.add(SkolonFault(kind="status", status=401, times=None))
    halted = sync.run()
    made_up.skolon.faults.clear()
    pending = [
        each.entra_id for each in sync.store.receipts.list(halted.run.id, outcome=Outcome.PENDING, limit=1000)
    ]

    resumed = resume(sync, halted)

    assert [user for user in pending if user.startswith("no-id-")]
    assert resumed.run.status is Status.COMPLETED
    assert resumed.reasons[Reason.INVALID_USER] == 1 + made_up.municipality.expected_reasons()["invalid_user"]


def test_named_users_are_synced_alone(made_up: Environment, sync: InProcessSync) -> None:
    """A run of named users reads them one by one, and touches no other user."""
    wanted = [person for person in made_up.municipality if person.outcome == "updated"][:3]

    summary = sync.run(users=tuple(person.entra["id"] for person in wanted))

    assert counts(summary) == {"updated": 3}
    assert made_up.skolon.requests()["PATCH user"] == 3
    assert made_up.microsoft.requests.counts().get("users", 0) == 0


def test_a_list_that_goes_round_in_a_circle_halts_the_run(made_up: Environment, sync: InProcessSync) -> None:
    """A link that leads back is found, and the run says so rather than going on for ever."""
    crowd(made_up, 1200)
    made_up.microsoft.faults.add(GraphFault(effect=Effect.REPEATED_LINK, page=2, times=None))

    summary = sync.run()

    assert (summary.run.status, summary.run.cause) == (Status.HALTED, Cause.PAGE_LOOP)


def test_links_that_are_always_new_halt_the_run(made_up: Environment, sync: InProcessSync) -> None:
    """P10: a list of empty pages, each with a link that is new, is not followed for ever."""
    made_up.microsoft.faults.add(GraphFault(effect=Effect.EMPTY_PAGE, kind=Kind.USERS, times=None))

    summary = sync.run()

    assert (summary.run.status, summary.run.cause) == (Status.HALTED, Cause.PAGE_LOOP)
    assert summary.run.detail is not None
    assert "the list would never end" in summary.run.detail
    assert made_up.microsoft.requests.counts()["users"] <= MAX_SPARSE_PAGES + 2


@pytest.mark.parametrize("code", ["Directory_ExpiredPageToken", "DirectoryPageTokenNotFoundException"])
def test_an_expired_page_token_begins_the_list_again(
    made_up: Environment, sync: InProcessSync, code: str
) -> None:
    """P3: whoever was read before is not counted twice, and nobody is left out."""
    crowd(made_up, 1200)
    made_up.microsoft.faults.add(GraphFault(effect=Effect.EXPIRED_PAGE_TOKEN, page=2, code=code))

    summary = sync.run()

    assert summary.run.status is Status.COMPLETED
    assert summary.published == PEOPLE + 1200
    assert summary.run.attempt == 2


def test_page_tokens_that_always_expire_halt_the_run(made_up: Environment, sync: InProcessSync) -> None:
    """A list that can never be read to its end is not begun for ever."""
    crowd(made_up, 1200)
    made_up.microsoft.faults.add(GraphFault(effect=Effect.EXPIRED_PAGE_TOKEN, page=2, times=None))

    summary = sync.run()

    assert (summary.run.status, summary.run.cause) == (Status.HALTED, Cause.PAGE_TOKEN)
