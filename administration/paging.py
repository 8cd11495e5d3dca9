"""Lists of users, page by page: each page begins behind the last user of the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _OfUser(Protocol):
    @property
    def entra_id(self) -> str: ...


Item = TypeVar("Item", bound=_OfUser)
Item_co = TypeVar("Item_co", bound=_OfUser, covariant=True)

#: Users that one statement reads for a list that is read to its end.
_BATCH: Final = 1000


class ReadsUsers(Protocol[Item_co]):
    """Reads at most `limit` users of a list, those whose Entra id comes behind `after`."""

    def __call__(self, *, after: str, limit: int) -> Sequence[Item_co]:
        """Return them by Entra id."""


@dataclass(frozen=True, kw_only=True)
class UsersPage(Generic[Item]):
    """Users by Entra id; `after` leads to the next page, None on the last one."""

    users: Sequence[Item]
    after: str | None


def users_page(read: ReadsUsers[Item], *, after: str, limit: int) -> UsersPage[Item]:
    """Return a page of a list; behind an `after` that is no user's id, there is nothing."""
    if after and not is_entra_id(after):
        return UsersPage(users=(), after=None)
    found = read(after=after, limit=limit + 1)
    shown = found[:limit]
    return UsersPage(users=shown, after=shown[-1].entra_id if len(found) > limit else None)


def all_users(read: ReadsUsers[Item]) -> Iterator[Item]:
    """Yield the whole list, some users at a time."""
    after = ""
    while found := read(after=after, limit=_BATCH):
        yield from found
        after = found[-1].entra_id
