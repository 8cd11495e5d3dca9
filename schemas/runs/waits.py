"""Waits of messages for a service, another run or another user, as runs show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt

    from schemas.errors import Dependency, FailureKind


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A message waits for a service since `reported`, and is tried again at `next_try` (both aware).

    Without a `service` it waits until another run is done with the user, or another user of the run has
    given up a value.
    `failed_at` is the moment of a failure, and `status` or `kind` says which. Without it nothing was asked:
    the service was known to be away.
    """

    service: Dependency | None
    reported: dt.datetime
    next_try: dt.datetime
    failed_at: dt.datetime | None = None
    status: int | None = None
    kind: FailureKind | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many users of a run wait for a service, since when, and what it answered last.

    Without a `service` they wait until another run is done with them, or another user has given up a value.
    `page` says that a page of the run waits as well. `next_try` is the earliest that is to come; one in the
    past is being made just now.
    """

    service: Dependency | None
    since: dt.datetime
    users: int
    page: bool
    last_failed: dt.datetime | None
    last_status: int | None
    last_kind: FailureKind | None
    next_try: dt.datetime

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "service": self.service and str(self.service),
            "since": timestamp(self.since),
            "users": self.users,
            "page": self.page,
            "last_failed": self.last_failed and timestamp(self.last_failed),
            "last_status": self.last_status,
            "last_kind": self.last_kind and str(self.last_kind),
            "next_try": timestamp(self.next_try),
        }
