"""How much one run may change."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import HaltError
from schemas.outcomes import Cause
from schemas.runs.changes import GuardCounts, guard_counts
from schemas.tenants.tenant import Guard, Limit
from schemas.users.attributes import Attribute
from workers.rules.guard import check_guard, is_exceeded

NONE = Guard(changed=None, identity_changed=None, not_found=None, failed=None, left_scope=None)
LIMIT = Limit(count=10, share=0.1)


@pytest.mark.parametrize(
    ("count", "people", "passed"),
    [(10, 50, False), (11, 50, True), (11, 110, False), (12, 110, True), (11, 0, True), (0, 0, False)],
)
def test_a_limit_is_passed_by_count_and_share_together(count: int, people: int, passed: bool) -> None:  # noqa: FBT001 - a table
    """A limit is passed when more people than its count and more than its share are concerned."""
    assert is_exceeded(LIMIT, count, people) is passed


@given(
    counts=st.builds(
        GuardCounts,
        changed=st.integers(0, 10**7),
        identity_changed=st.integers(0, 10**7),
        not_found=st.integers(0, 10**7),
        failed=st.integers(0, 10**7),
        left_scope=st.integers(0, 10**7),
    )
)
def test_no_limit_is_never_passed(counts: GuardCounts) -> None:
    """Null is no limit, whatever a run does."""
    check_guard(NONE, counts, lambda: 1, lambda: 1)


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("changed", "users would be changed"),
        ("identity_changed", "users would get another user name, EPPN or other id"),
        ("not_found", "users are not found in Skolon"),
        ("failed", "users cannot be updated"),
        ("left_scope", "synced users would be left out"),
    ],
)
def test_each_limit_has_its_own_count(name: str, users: str) -> None:
    """P7: the cause says which limit was passed, by how many of how many, and what it allows."""
    guard = dataclasses.replace(NONE, **{name: LIMIT})
    sizes = (lambda: 900, lambda: 20) if name == "left_scope" else (lambda: 20, lambda: 900)
    check_guard(guard, GuardCounts(**{name: 10}), *sizes)
    with pytest.raises(HaltError) as caught:
        check_guard(guard, GuardCounts(**{name: 11}), *sizes)
    assert caught.value.cause is Cause.GUARD_EXCEEDED
    assert caught.value.detail == f"11 of 20 {users}; the limit (guard.{name}) is 10 users and 10%"


def test_the_share_of_an_unknown_number_is_not_passed() -> None:
    """While nobody knows how many people there are, no share of them can be passed."""
    check_guard(Guard(changed=LIMIT), GuardCounts(changed=10**6), lambda: None, lambda: 10)
    check_guard(Guard(left_scope=LIMIT), GuardCounts(left_scope=10**6), lambda: 10, lambda: None)


def test_how_many_people_there_are_is_asked_only_when_it_matters() -> None:
    """The ordinary run never pays for it."""
    counts = GuardCounts(changed=1000, identity_changed=100, failed=20, left_scope=20)
    check_guard(Guard(), counts, lambda: pytest.fail("asked"), lambda: pytest.fail("asked"))


@pytest.mark.parametrize(
    ("old", "identity"),
    [
        ({Attribute.CITY: "Umeå"}, 0),
        ({Attribute.EPPN: "a@b.se"}, 1),
        ({Attribute.EPPN: None}, 0),
        ({Attribute.EPPN: None, Attribute.SSN: "x"}, 1),
        ({Attribute.USER_NAME: "a"}, 1),
        ({Attribute.IDP_IDENTIFIER: "a"}, 1),
        ({Attribute.EXTERNAL_ID: "a"}, 1),
        ({Attribute.EMAIL: "a@b.se"}, 0),
    ],
)
def test_what_locks_people_out_counts_apart(old: dict[Attribute, str | None], identity: int) -> None:
    """Changing an identity attribute counts for the stricter limit; filling a blank one does not."""
    assert guard_counts(old) == GuardCounts(changed=1, identity_changed=identity)
