"""Whether a list of pages can still come to an end."""

from __future__ import annotations

import pytest

from producers.listing_bounds import MAX_SPARSE_PAGES, MAX_USERS, endless_reason


@pytest.mark.parametrize(
    ("pages", "users", "counted"),
    [
        (1, 0, None),
        (MAX_SPARSE_PAGES, 0, None),
        (21, 20_000, 20_000),
        (2_000, 200_000, 199_000),
        (2_100, 20_000, 20_000),
        (40, 39_000, 20_000),
        (30, 15_000, 5_000),
        (1_000, 999_000, None),
    ],
)
def test_a_list_that_may_end(pages: int, users: int, counted: int | None) -> None:
    """Small pages, some empty ones, users who come twice and a count that lags are no list without end."""
    assert endless_reason(pages=pages, users=users, counted=counted) is None


@pytest.mark.parametrize(
    ("pages", "users", "counted"),
    [
        (MAX_SPARSE_PAGES + 1, 0, None),
        (MAX_SPARSE_PAGES + 101, 1000, 20_000),
        (60, 60_000, 20_000),
        (12, 11_000, 100),
        (1_002, MAX_USERS + 1, None),
    ],
)
def test_a_list_without_end(pages: int, users: int, counted: int | None) -> None:
    """P10: pages with almost no users, or more users than the directory can have, are detected."""
    why = endless_reason(pages=pages, users=users, counted=counted)
    assert why is not None
    assert str(users) in why
