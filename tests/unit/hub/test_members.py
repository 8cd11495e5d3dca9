"""What a role may do, and how long a session lasts."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.access import is_allowed
from schemas.hub.access import Access
from schemas.hub.member import Member, Role
from schemas.hub.session import Session

#: What a member can have; the rest is for programs.
OF_MEMBERS = set(Access) - {Access.API_TOKEN, Access.API_ACTION}

NOW = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("role", "own", "other"),
    [
        (Role.READER, {Access.PUBLIC, Access.MEMBER, Access.TENANT_READER}, {Access.PUBLIC, Access.MEMBER}),
        (
            Role.ADMINISTRATOR,
            OF_MEMBERS - {Access.OPERATOR},
            {Access.PUBLIC, Access.MEMBER, Access.ADMINISTRATOR},
        ),
        (Role.OPERATOR, OF_MEMBERS, OF_MEMBERS),
    ],
)
def test_a_role_allows_what_it_says(role: Role, own: set[Access], other: set[Access]) -> None:
    """A reader looks at own tenants, an administrator acts for them, an operator does all."""
    member = Member(id=1, name="Made Up", role=role, tenants=("own",))
    assert {access for access in Access if is_allowed(access, member, "own")} == own
    assert {access for access in Access if is_allowed(access, member, "other")} == other


@pytest.mark.parametrize(
    ("idle", "left", "alive"), [(0, 8 * 60, True), (29, 1, True), (30, 60, False), (0, 0, False)]
)
def test_a_session_ends(idle: int, left: int, alive: bool) -> None:  # noqa: FBT001 - a case of the test
    """A session lives until its end, and until thirty minutes have passed without a page."""
    minutes = dt.timedelta(minutes=1)
    session = Session(member=1, last_seen=NOW - idle * minutes, ends=NOW + left * minutes)
    assert session.is_alive(NOW) is alive
