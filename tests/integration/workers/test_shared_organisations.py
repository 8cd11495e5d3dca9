"""Row 9 of who is who: two tenants with one organisation. All people are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from sandbox.municipality.municipality import Municipality
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Outcome, Status
from schemas.tenants.match_decision import DecisionKind
from schemas.tenants.tenant import load_tenant
from tests.integration.workers.identity.accounts import account, skolon_user, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemas.runs.receipt import Receipt

STAFF: Final = "personal"

#: One person with an account in each of two directories.
PUPIL: Final = account(1, "Eva", "Berg", "eva.berg@k.example")
TEACHER: Final = account(2, "Eva", "Berg", "eva.berg@k.example", city="Exempelstad")
EVA: Final = skolon_user("s1", "Eva", "Berg", "eva.berg@k.example")


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=1, others={STAFF: Municipality(1, seed=2)}) as served:
        (first, _) = served.skolon.organisations
        served.skolon.fill(first, [EVA])
        for directory, user in zip(served.microsoft.directories.values(), (PUPIL, TEACHER), strict=True):
            directory.add(user)
        yield served


@pytest.fixture
def pupils(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        yield together


@pytest.fixture
def staff(made_up: Environment, pupils: InProcessSync) -> InProcessSync:
    """Add the second tenant, while the first one is in the memory of the workers."""
    settings = {**made_up.other_tenants[STAFF], "organisation": made_up.tenant["organisation"]}
    pupils.store.tenants.add(*load_tenant(STAFF, settings))
    return InProcessSync(pupils.broker, pupils.store, pupils.handler, STAFF)


def receipt_of(sync: InProcessSync, user: dict[str, Any], **options: Any) -> Receipt:
    summary = sync.run(users=(user["id"],), **options)
    receipt = sync.store.receipts.get(summary.run.id, user["id"])
    assert receipt is not None
    return receipt


def test_a_skolon_user_that_another_tenant_keeps_is_a_collision(
    made_up: Environment, pupils: InProcessSync, staff: InProcessSync
) -> None:
    """The first one keeps it in every run, dry or not, and the other's dead letter names that tenant."""
    assert receipt_of(pupils, PUPIL).outcome is Outcome.UPDATED
    before = values(made_up, "s1")
    for _ in range(2):
        receipt = receipt_of(staff, TEACHER)
        assert (receipt.outcome, receipt.reason) == (Outcome.DEAD_LETTERED, Reason.COLLISION)
        assert receipt.collision is not None
        assert receipt.collision.holder_tenant == TENANT_KEY
        assert receipt.collision.holder_entra_id == PUPIL["id"]
        assert receipt_of(pupils, PUPIL).outcome is Outcome.UNCHANGED
    assert receipt_of(staff, TEACHER, dry_run=True).reason is Reason.COLLISION
    assert values(made_up, "s1") == before


@pytest.mark.parametrize("how", ["out of scope", "gone", "no longer listed", "tenant disabled"])
def test_a_skolon_user_that_no_other_tenant_keeps_any_more(
    made_up: Environment, pupils: InProcessSync, staff: InProcessSync, how: str
) -> None:
    """The newest receipt decides, and a disabled tenant keeps no user."""
    assert receipt_of(pupils, PUPIL).outcome is Outcome.UPDATED
    assert receipt_of(staff, TEACHER).reason is Reason.COLLISION
    if how == "out of scope":
        pupils.store.match_decisions.add(TENANT_KEY, DecisionKind.IGNORE, entra_id=PUPIL["id"])
        assert receipt_of(pupils, PUPIL).outcome is Outcome.OUT_OF_SCOPE
    elif how == "gone":
        next(iter(made_up.microsoft.directories.values())).remove(PUPIL["id"])
        assert receipt_of(pupils, PUPIL).outcome is Outcome.OUT_OF_SCOPE
    elif how == "no longer listed":
        next(iter(made_up.microsoft.directories.values())).remove(PUPIL["id"])
        summary = pupils.run()
        assert summary.run.status is Status.COMPLETED
        assert pupils.store.receipts.get(summary.run.id, PUPIL["id"]) is None
    else:
        pupils.store.tenants.change(TENANT_KEY, {"enabled": False})
    assert receipt_of(staff, TEACHER).outcome is Outcome.UPDATED
    assert values(made_up, "s1")["externalId"] == TEACHER["id"]


def test_tenants_that_took_turns_before_stop(
    made_up: Environment, pupils: InProcessSync, staff: InProcessSync
) -> None:
    """Both have a receipt of it: the one whose External Id it has goes on, and the other one stops."""
    organisation = staff.store.tenants.outline(STAFF).organisation
    staff.store.tenants.change(STAFF, {"organisation": "another"})
    assert receipt_of(pupils, PUPIL).outcome is Outcome.UPDATED
    pupils.store.tenants.change(TENANT_KEY, {"enabled": False})
    staff.store.tenants.change(STAFF, {"organisation": organisation})
    assert receipt_of(staff, TEACHER).outcome is Outcome.UPDATED
    pupils.store.tenants.change(TENANT_KEY, {"enabled": True})
    assert receipt_of(pupils, PUPIL).reason is Reason.COLLISION
    next(reversed(made_up.microsoft.directories.values())).change(TEACHER["id"], {"city": "Nystad"})
    assert receipt_of(staff, TEACHER).outcome is Outcome.UPDATED
