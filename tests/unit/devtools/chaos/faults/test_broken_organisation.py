"""The layer that breaks one organisation, and what is demanded of whoever belongs to it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from devtools.chaos.faults.broken_organisation import VARIANTS, BrokenOrganisation
from devtools.chaos.faults.small_tenants import Breakage, small_municipalities
from devtools.chaos.results.expectations import expectation_of, expectation_of_broken
from sandbox.municipality.municipality import Municipality
from sandbox.serving import CutConnectionError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

USERS = {"Resources": [{"id": "a", "userName": "anna"}]}


def skolon(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return Response(json.dumps(USERS), mimetype="application/scim+json")(environ, start_response)


@pytest.fixture
def broken() -> BrokenOrganisation:
    return BrokenOrganisation()


@pytest.fixture
def client(broken: BrokenOrganisation) -> Client:
    return Client(broken.around(skolon))


def asked(client: Client, organisation: str = "broken") -> Response:
    return client.get(f"/{organisation}/scim/v2/Users")


@pytest.mark.parametrize(("variant", "status"), [("503", 503), ("500", 500), ("404-page", 404)])
def test_one_organisation_breaks_in_mid_run_and_no_other(
    broken: BrokenOrganisation, client: Client, variant: str, status: int
) -> None:
    """After some requests it answers badly, until it is healed; others never do."""
    broken.break_off("broken", variant, 2)
    assert [asked(client).status_code for _ in range(4)] == [200, 200, status, status]
    assert asked(client, "healthy").json == USERS
    assert broken.struck == 2
    broken.heal()
    assert asked(client).json == USERS


def test_users_of_a_broken_organisation_may_be_unreadable(broken: BrokenOrganisation, client: Client) -> None:
    """A `userName` that is a number is nothing that SCIM promises."""
    broken.break_off("broken", "malformed", 0)
    assert asked(client).json == {"Resources": [{"id": "a", "userName": [5]}]}
    assert asked(client, "healthy").json == USERS


def test_requests_that_hang_are_lost_when_the_organisation_is_healed(
    broken: BrokenOrganisation, client: Client
) -> None:
    """None of them is carried out late."""
    broken.break_off("broken", "hanging", 0)
    cut = threading.Event()

    def ask() -> None:
        with pytest.raises(CutConnectionError):
            asked(client)
        cut.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked(client, "healthy").json == USERS
    assert not cut.is_set()
    broken.heal()
    thread.join(10)
    assert cut.is_set()


def breakage(variant: str, *, is_cancelled: bool = False) -> Breakage:
    return Breakage(
        variant=variant, since=0.0, seconds=1.0, is_healed=not is_cancelled, is_cancelled=is_cancelled
    )


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "malformed"])
def test_an_outage_of_ones_organisation_is_no_excuse(variant: str) -> None:
    """P8: once it is healed, all outcomes are as without it; if cancelled, no user is dead-lettered by it."""
    people = Municipality(60, seed=3)
    assert expectation_of_broken(people, breakage(variant)) == expectation_of(people)
    cancelled = expectation_of_broken(people, breakage(variant, is_cancelled=True))
    assert cancelled.people == expectation_of(people).people
    assert cancelled.status == "cancelled"


def test_whoever_cannot_be_read_may_be_a_dead_letter_and_nobody_else() -> None:
    """P7: of whom Skolon is not asked, or has nobody, nothing unreadable is met."""
    people = Municipality(60, seed=3)
    expectation = expectation_of_broken(people, breakage("malformed"))
    for person in people:
        may = ("dead_lettered", "rejected_by_skolon") in expectation.people[person.entra["id"]]
        is_met = person.outcome not in {"out_of_scope", "not_found"} and person.reason != "invalid_user"
        assert may == is_met


def test_nobody_belongs_to_two_municipalities_of_a_round() -> None:
    """Receipts and dead letters are told apart by people's ids alone."""
    municipalities = [Municipality(60, seed=7), *small_municipalities(7).values()]
    ids = {person.entra["id"] for municipality in municipalities for person in municipality}
    assert len(ids) == 60 * len(municipalities)
