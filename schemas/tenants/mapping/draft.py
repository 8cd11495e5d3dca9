"""Drafts of a mapping, and the changes of the active one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from schemas.hub.action import Actor
    from schemas.tenants.mapping.sources import Sources
    from schemas.users.attributes import Attribute


@dataclass(frozen=True, kw_only=True)
class MappingDraft:
    """A draft beside the active mapping; all times are aware.

    `version` grows with each change. `base` is the active mapping that it was drafted beside.
    `forecast_event` is the event of the last dry run with it, which was made for `forecast_version`.
    `activated` is when it became the active mapping, and `activated_by` who did that; then it is changed no
    more. `releases` are attributes that need no second person once it is active. `authors` are the members
    who have worked on it, or whose programs have. Another one has `approved` its `approved_version`, beside
    the active mapping of the state `approved_beside`.
    """

    id: int
    tenant: str
    sources: Sources
    base: Sources
    version: int
    created: dt.datetime
    created_by: Actor
    updated: dt.datetime
    updated_by: Actor
    forecast_event: str | None = None
    forecast_version: int | None = None
    activated: dt.datetime | None = None
    activated_by: Actor | None = None
    releases: frozenset[Attribute] = frozenset()
    authors: frozenset[int] = frozenset()
    approved: dt.datetime | None = None
    approved_by: Actor | None = None
    approved_version: int | None = None
    approved_beside: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be changed and made active."""
        return self.activated is None

    def is_approved(self, active_state: str) -> bool:
        """Say whether it was approved as it is, beside the active mapping of that state."""
        return self.approved_version == self.version and self.approved_beside == active_state

    @property
    def is_forecast_old(self) -> bool:
        """Whether it was changed since its last dry run."""
        return self.forecast_version is not None and self.forecast_version != self.version


@dataclass(frozen=True, kw_only=True)
class MappingChange:
    """A change of the active mapping at an aware time.

    `by` is a member or a program of the Data Hub; `operator` is the user of the machine who used a command.
    Member `approved_by` was the second person, of a draft that needed one.
    """

    id: int
    at: dt.datetime
    before: Sources
    after: Sources
    by: Actor
    operator: str | None
    approved_by: int | None = None
