"""What a run warns of: it did not stop for that, and says it once, not for each user."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Caution(StrEnum):
    """The kinds of warnings that a run can have."""

    #: Graph's own count of the directory's people is not the number that was read.
    COUNT_DIFFERS = "count_differs"
    #: Graph gives nobody's birthday, so birth dates stay as they are.
    BIRTHDAYS_REFUSED = "birthdays_refused"


@dataclass(frozen=True, kw_only=True)
class RunWarning:
    """A warning on a run; `detail` is for a person to read and holds no values."""

    kind: Caution
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return it for people and programs."""
        return {"kind": str(self.kind), "detail": self.detail}
