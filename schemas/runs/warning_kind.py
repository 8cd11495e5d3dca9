"""What a run warns of: it did not stop for that, and says it once, not for each user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WarningKind(StrEnum):
    """The kinds of warnings that a run can have."""

    #: Graph's own count of the directory's people is not the number that was read.
    COUNT_DIFFERS = "count_differs"
    #: Graph gives nobody's birthday, so birth dates stay as they are.
    BIRTHDAYS_REFUSED = "birthdays_refused"
    #: Pending users had no message any more, and were published again.
    MESSAGES_LOST = "messages_lost"
    #: The page to be read next had no message any more, and the list was begun again.
    PAGE_LOST = "page_lost"


@dataclass(frozen=True, kw_only=True)
class RunWarning:
    """A warning on a run; `detail` is for a person to read and holds no values.

    `users` says of how many users it warns, where that is what it does.
    """

    kind: WarningKind
    detail: str
    users: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return it for people and programs."""
        users = {} if self.users is None else {"users": self.users}
        return {"kind": str(self.kind), "detail": self.detail, **users}


def lost_messages_warning(users: int) -> RunWarning:
    """Return the warning that the messages of so many users were lost."""
    who = "1 pending user" if users == 1 else f"{users} pending users"
    detail = f"{who} had no message any more: published again"
    return RunWarning(kind=WarningKind.MESSAGES_LOST, detail=detail, users=users)
