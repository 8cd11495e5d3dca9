"""A municipality in which it is hard to tell who is who: whole runs, in several orders, judged apart."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from cli.sandbox.in_process_sync import in_process_sync
from sandbox.environment import TENANT_KEY, serve_environment
from sandbox.identities.population import Findings, Population
from sandbox.municipality.expectation import attributes_of
from schemas.outcomes import Status
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.municipality.expectation import Attributes

#: Users in Entra. `WHO_IS_WHO=2000` is the municipality that docs/reliability.md tells of.
SIZE: Final = int(os.environ.get("WHO_IS_WHO", "500"))
SHUFFLES: Final = 5
#: The share of ordinary users, 3 % of which have another name, that may be taken for suspicious.
MOST_SUSPICIOUS: Final = 0.005


def synced(folder: Path, shuffle: int) -> tuple[Findings, dict[str, Attributes]]:
    """Run over the users in one order; return what the run made of them, and Skolon's users."""
    folder.mkdir()
    with ExitStack() as stack:
        made_up = stack.enter_context(serve_environment(folder, users=1))
        sync = stack.enter_context(in_process_sync(made_up, TENANT_KEY, folder))
        sync.store.tenants.change(TENANT_KEY, {"guard": {"changed": None, "identity_changed": None}})
        population = Population(SIZE, tenant=made_up.tenant)
        (organisation,) = made_up.skolon.organisations
        made_up.skolon.fill(organisation, population.skolon_users())
        (only,) = made_up.municipality.entra_users()
        directory(made_up).remove(only["id"])
        for user in population.entra_users(shuffle):
            directory(made_up).add(user)
        summary = sync.run()
        assert summary.run.status is Status.COMPLETED
        receipts = sync.store.receipts.list(summary.run.id, limit=SIZE + 1)
        users = made_up.skolon_users()
        results = {
            receipt.entra_id: (str(receipt.outcome), receipt.reason and str(receipt.reason))
            for receipt in receipts
        }
        return population.judge(users, results), {user["id"]: attributes_of(user) for user in users}


@pytest.mark.timeout(900)
def test_no_user_becomes_another_person(tmp_path: Path) -> None:
    """All planted users are found, the others are synced, and no order of messages decides anything."""
    ends = []
    for shuffle in range(SHUFFLES):
        found, end = synced(tmp_path / str(shuffle), shuffle)
        assert found.overwritten == []
        assert found.missed == []
        assert found.wrong == []
        assert len(found.suspicious) <= MOST_SUSPICIOUS * found.others
        ends.append(end)
    assert all(end == ends[0] for end in ends)
