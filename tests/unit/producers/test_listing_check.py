"""When Graph's own count makes a warning."""

from __future__ import annotations

import pytest

from producers.listing_check import count_mismatch, ends_short


@pytest.mark.parametrize(
    ("counted", "read"),
    [(0, 0), (50, 50), (50, 40), (40, 50), (100_000, 99_801), (100_000, 100_200)],
)
def test_a_directory_that_changes_meanwhile_warns_of_nothing(counted: int, read: int) -> None:
    """Ten people, or two in a thousand, may come, go, or be counted late."""
    assert count_mismatch(counted=counted, read=read) is None


@pytest.mark.parametrize(
    ("counted", "read", "words"),
    [
        (50, 39, "11 may be missing"),
        (100_000, 99_001, "999 may be missing"),
        (100_000, 99_799, "201 may be missing"),
        (1000, 0, "1000 may be missing"),
        (0, 11, "may lag"),
        (100_000, 100_201, "may lag"),
    ],
)
def test_more_than_that_is_said(counted: int, read: int, words: str) -> None:
    """Both numbers are told, and in which direction they differ; a page of a large directory is enough."""
    said = count_mismatch(counted=counted, read=read)
    assert said is not None
    assert words in said
    assert f"{counted} people" in said
    assert f"{read} were read" in said


@pytest.mark.parametrize(
    ("counted", "read", "is_short"),
    [(50, 40, False), (50, 39, True), (50, 500, False), (100_000, 99_801, False), (100_000, 99_001, True)],
)
def test_a_short_list_is_one_that_lacks_users(counted: int, read: int, is_short: bool) -> None:  # noqa: FBT001 - what is expected
    """A count that lags behind a longer list is no short list."""
    assert ends_short(counted=counted, read=read) is is_short
