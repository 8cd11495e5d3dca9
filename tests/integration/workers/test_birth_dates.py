"""Birth dates of Entra's users: a message in, the end state of Skolon out. All users are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from schemas.outcomes import Outcome
from tests.integration.workers.identity.accounts import (
    ADDRESS,
    account,
    skolon_user,
    synced,
    values,
)

if TYPE_CHECKING:
    from cli.sandbox.in_process_sync import InProcessSync
    from sandbox.environment import Environment

PEOPLE = 1

RIGHT = "2013-06-15"


@pytest.mark.parametrize(
    "birthday",
    [
        "0001-01-01T00:00:00Z",
        "0004-06-15T00:00:00Z",
        "1604-06-15T00:00:00Z",
        "1900-06-15T00:00:00Z",
        "2999-06-15T00:00:00Z",
        "2000-06-15T00:00:00Z",
        "2000-06-14T22:00:00Z",
        "2013-06-14T22:00:00Z",
        "2013-06-15T00:00:00Z",
    ],
)
@pytest.mark.parametrize("external_id", [True, False])
def test_a_right_date_stays(
    made_up: Environment, sync: InProcessSync, birthday: str, *, external_id: bool
) -> None:
    """Row 16: a date that no user has is not set, and a midnight elsewhere is the day at home."""
    anna = account(1, "Anna", "Andersson", ADDRESS, birthday=birthday)
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, own={"birthDate": RIGHT})
    if external_id:
        known["externalId"] = anna["id"]

    receipt = synced(made_up, sync, [anna], known)[anna["id"]]

    assert receipt.outcome in {Outcome.UPDATED, Outcome.UNCHANGED}
    assert "birth_date" not in receipt.changed
    assert values(made_up, "s1")[SKOLON_SCHEMA]["birthDate"] == RIGHT


def test_a_day_before_is_corrected_and_is_no_other_person(made_up: Environment, sync: InProcessSync) -> None:
    """The trace of a date that was once a day off contradicts no match, and is written right."""
    anna = account(1, "Anna", "Andersson", ADDRESS, birthday="2013-06-14T22:00:00Z")
    known = skolon_user("s1", "Anna", "Andersson", ADDRESS, own={"birthDate": "2013-06-14"})

    receipt = synced(made_up, sync, [anna], known)[anna["id"]]

    assert receipt.outcome is Outcome.UPDATED
    assert values(made_up, "s1")[SKOLON_SCHEMA]["birthDate"] == RIGHT


def test_a_day_before_proves_no_one(made_up: Environment, sync: InProcessSync) -> None:
    """Nor is it evidence for a match: another first name at the same address stays suspicious."""
    anna = account(1, "Anna", "Andersson", ADDRESS, birthday="2013-06-15T00:00:00Z")
    known = skolon_user("s1", "Erik", "Andersson", ADDRESS, own={"birthDate": "2013-06-14"})
    assert synced(made_up, sync, [anna], known)[anna["id"]].outcome is Outcome.DEAD_LETTERED
