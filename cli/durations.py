"""How long ago something was, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt

_UNITS: Final = (("d", 24 * 3600), ("h", 3600), ("min", 60), ("s", 1))


def format_age(moment: dt.datetime | None, now: dt.datetime) -> str | None:
    """Return the time from `moment` (aware) to `now` in its two largest units, None for no moment."""
    if moment is None:
        return None
    left = max(0, int((now - moment).total_seconds()))
    parts: list[str] = []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
