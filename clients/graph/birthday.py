"""Graph's `birthday`, which may be missing, unset, refused or odd, and never fails a user."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

#: How Graph says that no birthday has been set: the first day there is.
_UNSET: Final = "0001-"
_DATE: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]{5,20}(Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z", re.ASCII
)


@dataclass(frozen=True, kw_only=True)
class Birthday:
    """A birth date as YYYY-MM-DD, None when it is not set; or why it is not known.

    With `affects_all_users` no birthday of that directory can be read at the moment.
    """

    value: str | None = None
    problem: str | None = None
    affects_all_users: bool = False


def read_birthday(user: dict[str, object]) -> Birthday:
    """Return the birthday that an answer holds: the date as written, whatever its time of day."""
    raw = user.get("birthday")
    if raw is None or (isinstance(raw, str) and raw.startswith(_UNSET)):
        return Birthday()
    match = _DATE.match(raw) if isinstance(raw, str) else None
    if match is None:
        return Birthday(problem="Graph's birthday is no date")
    try:
        return Birthday(value=dt.date.fromisoformat(match[1]).isoformat())
    except ValueError:
        return Birthday(problem="Graph's birthday is no date")
