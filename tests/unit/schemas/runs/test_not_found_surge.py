"""When so many users that are not found are suspicious."""

from __future__ import annotations

import pytest

from schemas.runs.not_found_surge import not_found_surge


@pytest.mark.parametrize(
    ("missing", "sought"),
    [
        pytest.param(100, 1000, id="a class that has left Skolon"),
        pytest.param(250, 1000, id="a quarter"),
        pytest.param(20, 50, id="a small directory"),
        pytest.param(0, 0, id="nothing to compare with"),
        pytest.param(0, 1000, id="all found"),
    ],
)
def test_an_ordinary_share(missing: int, sought: int) -> None:
    """A few users that are gone, or none that could be, are not suspicious."""
    assert not_found_surge(missing, sought) is None


@pytest.mark.parametrize(
    ("missing", "sought"),
    [
        pytest.param(1000, 1000, id="an emptied organisation"),
        pytest.param(251, 1000, id="more than a quarter"),
        pytest.param(21, 21, id="none of a few"),
    ],
)
def test_a_surge(missing: int, sought: int) -> None:
    """Both numbers are told."""
    assert f"{missing} of {sought} users" in str(not_found_surge(missing, sought))
