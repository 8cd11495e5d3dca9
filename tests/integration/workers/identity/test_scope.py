"""Scope as schools express it: rules over properties of Entra's users, by list and by delta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.outcomes import Outcome
from tests.integration.producers.delta.steps import asked, delta, directory
from tests.integration.workers.identity.accounts import account, skolon_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.sandbox.in_process_sync import InProcessSync
    from schemas.runs.run import RunSummary

TEACHER = account(1, "Anna", "Andersson", "anna@k.example", department="Skolan", jobTitle="Lärare")
PUPIL = account(2, "Bo", "Berg", "bo@elev.k.example", department="Skolan", jobTitle="Elev", employeeType="E")
CLERK = account(3, "Carl", "Carlsson", "carl@k.example", companyName="Bolaget", officeLocation="Rådhuset")
GUEST = account(4, "Dan", "Dal", "dan@k.example", userType="Guest", department="Skolan")
OLD = account(5, "Eva", "Ek", "eva@k.example", userType=None, department=" skolan")
ACCOUNTS = {"teacher": TEACHER, "pupil": PUPIL, "clerk": CLERK, "guest": GUEST, "old": OLD}


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=1) as served:
        served.tenant.update({"birthdays": False, "scope": {}})
        for person in served.municipality:
            directory(served).remove(person.entra["id"])
        for user in ACCOUNTS.values():
            directory(served).add(user)
        (organisation,) = served.skolon.organisations
        served.skolon.fill(
            organisation,
            [
                skolon_user(name, each["givenName"], each["surname"], each["mail"])
                for name, each in ACCOUNTS.items()
            ],
        )
        yield served


def inside(sync: InProcessSync, summary: RunSummary) -> set[str]:
    """Return who of the run was in scope."""
    names = {each["id"]: name for name, each in ACCOUNTS.items()}
    receipts = sync.store.receipts.list(summary.run.id)
    return {names[each.entra_id] for each in receipts if each.outcome is not Outcome.OUT_OF_SCOPE}


RULES: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"teacher", "pupil", "clerk", "old"}),
    ({"members_only": False}, {"teacher", "pupil", "clerk", "guest", "old"}),
    ({"include": [{"source": "department", "equals": "SKOLAN"}]}, {"teacher", "pupil", "old"}),
    ({"include": [{"source": "jobTitle", "one_of": ["Lärare", "Rektor"]}]}, {"teacher"}),
    ({"include": [{"source": "officeLocation", "starts_with": "Råd"}]}, {"clerk"}),
    ({"include": [{"source": "companyName", "ends_with": "laget"}]}, {"clerk"}),
    ({"exclude": [{"source": "department", "is_blank": True}]}, {"teacher", "pupil", "old"}),
    ({"exclude": [{"source": "employeeType", "is_blank": True}]}, {"pupil"}),
    ({"include": [{"source": "upnDomain", "equals": "elev.k.example"}]}, {"pupil"}),
    (
        {
            "include": [{"source": "jobTitle", "equals": "Elev"}, {"source": "jobTitle", "equals": "Lärare"}],
            "exclude": [{"source": "mail", "ends_with": "@elev.k.example"}],
        },
        {"teacher"},
    ),
]


@pytest.mark.parametrize(("scope", "expected"), RULES)
def test_rules_decide_who_is_written(
    made_up: Environment, sync: InProcessSync, scope: dict[str, Any], expected: set[str]
) -> None:
    """Rules of both lists, over each source, say who is in scope; users out of scope are not touched."""
    sync.store.tenants.change(TENANT_KEY, {"scope": scope})
    assert inside(sync, sync.run()) == expected
    written = {user["id"] for user in made_up.skolon_users() if user.get("externalId")}
    assert written == expected


def test_a_delta_goes_by_the_same_rules(made_up: Environment, sync: InProcessSync) -> None:
    """A property that was never set is left out of a delta: the user is read by id if a rule names it."""
    sync.store.tenants.change(
        TENANT_KEY, {"scope": {"exclude": [{"source": "companyName", "starts_with": "Bol"}]}}
    )
    sync.run()
    for user in (TEACHER, CLERK):
        directory(made_up).change(user["id"], {"surname": "Ny"})
    asked(made_up)
    summary = delta(sync)
    assert inside(sync, summary) == {"teacher"}
    assert summary.counts[Outcome.OUT_OF_SCOPE] == 1
    assert asked(made_up) == {"delta": 1, "user": 1}
