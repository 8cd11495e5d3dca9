"""What was found out about the server of an organisation, as the database keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, kw_only=True)
class CapabilityFinding:
    """One capability: its value as JSON, and when it was found out (aware, in UTC)."""

    value: Any
    found_at: dt.datetime
