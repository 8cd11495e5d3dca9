"""An undo of a run: for how many users it has restored what the run wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt

    from schemas.outcomes import Status


@dataclass(frozen=True, kw_only=True)
class RunUndo:
    """The undo `run` has restored the values of `users`; `finished` (aware) is None while it is open.

    `is_complete` says that it came to its end for all users, failed for none, and was not undone itself.
    """

    run: int
    status: Status
    finished: dt.datetime | None
    users: int
    is_complete: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "run": str(self.run),
            "status": str(self.status),
            "finished": self.finished and timestamp(self.finished),
            "users": self.users,
        }
