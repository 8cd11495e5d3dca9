"""Tokens with which programs ask the Data Hub's API, each for one tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """A token of a tenant, without its secret.

    `label` says what it is for. One that `may_act` starts runs and answers for the tenant; others read.
    `member` is the number of the member who made it. Times are aware; `last_used` is None before its first
    use, and at most an hour old while it is used.
    """

    id: int
    tenant: str
    label: str
    may_act: bool
    member: int
    created: dt.datetime
    last_used: dt.datetime | None
