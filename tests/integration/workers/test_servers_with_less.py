"""Whole runs by tenants that say what their server lacks: the same outcomes, in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.sandbox.in_process_sync import in_process_sync
from sandbox.environment import TENANT_KEY
from sandbox.municipality.expectation import attributes_of, expected_users
from schemas.outcomes import Status

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment

PEOPLE = 60


@pytest.mark.parametrize("lacks", [["filters"], ["patch"], ["filters", "patch"]])
def test_every_user_has_the_outcome_that_it_has_elsewhere(
    made_up: Environment, tmp_path: Path, lacks: list[str]
) -> None:
    """Skolon holds what it has to hold, no user is new or gone, and a second run has nothing to do."""
    made_up.tenant["skolon_lacks"] = lacks
    expected = expected_users(made_up.municipality, made_up.tenant)
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as sync:
        for which in ("first", "second"):
            summary = sync.run()
            assert summary.run.status is Status.COMPLETED
            counts = {str(outcome): count for outcome, count in summary.counts.items() if count}
            assert counts == made_up.municipality.expected_outcomes(which)
    sent = made_up.skolon.requests()
    assert ("POST search" in sent) is ("filters" not in lacks)
    assert "filters" not in lacks or sent["GET search"] <= PEOPLE // 10, "listed more than once"
    assert any("PATCH" in kind for kind in sent) is ("patch" not in lacks)
    assert any("PUT" in kind for kind in sent) is ("patch" in lacks)
    held = {user["id"]: attributes_of(user) for user in made_up.skolon_users()}
    assert held.keys() == expected.keys()
    assert [user_id for user_id, values in held.items() if values not in expected[user_id]] == []
