"""The bar of outcomes: as wide as it is, whatever the numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.presentation.outcome_bar import ORDER, WIDTH, outcome_bar
from schemas.outcomes import Outcome
from schemas.reports.user_status import SyncState


@given(st.dictionaries(st.sampled_from(list(Outcome)), st.integers(0, 10**6)))
def test_the_shares_fill_the_bar_and_add_up_to_the_total(counts: dict[Outcome, int]) -> None:
    """Each outcome with users has a share that can be seen, and they follow each other without a gap."""
    shares = outcome_bar(counts)
    assert sum(share.users for share in shares) == sum(counts.values())
    assert {share.outcome for share in shares} == {outcome for outcome, users in counts.items() if users}
    assert sum(share.width for share in shares) == (WIDTH if shares else 0)
    assert all(share.width >= 6 for share in shares)
    begins = 0
    for share in shares:
        assert share.begins == begins
        begins += share.width


def test_every_outcome_has_its_place() -> None:
    """The bar leaves out no outcome, nor users whose run was undone."""
    assert set(ORDER) == {*Outcome, SyncState.REVERTED}
