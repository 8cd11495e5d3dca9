"""Values of people with their shape alone: enough to see what kind of thing it is, and not who.

Each run of letters becomes three dots however long it is, each digit a `#`, and of all other signs only those
stay that give mail addresses, dates and numbers their form.
"""

from __future__ import annotations

import re
from typing import Final

_DOTS: Final = "•••"
_KEPT: Final = "@.-_+ "

#: Letters of any alphabet and whatever else is neither a digit nor kept, in one piece; or one digit.
_PIECES: Final = re.compile(rf"[0-9]|[^0-9{re.escape(_KEPT)}]+")


def mask(value: str | None) -> str:
    """Return a value's shape, `blank` for none."""
    if value is None:
        return "blank"
    return _PIECES.sub(lambda piece: "#" if piece[0] in "0123456789" else _DOTS, value)


def diff_hint(old: str | None, new: str | None) -> str | None:
    """Return in words what two different values have in common, where that helps; None where it does not."""
    if old is None or new is None:
        return None
    if old.casefold() == new.casefold():
        return "only upper and lower case differ"
    if _alphanumeric(old) == _alphanumeric(new):
        return "only signs and spaces differ"
    return _differing_part(old.casefold(), new.casefold())


def _differing_part(old: str, new: str) -> str | None:
    (old_name, _, old_domain), (new_name, _, new_domain) = old.partition("@"), new.partition("@")
    if "@" in old and "@" in new and old_name == new_name:
        return "only what follows the @ differs"
    if "@" in old and "@" in new and old_domain == new_domain:
        return "only what precedes the @ differs"
    return None


def _alphanumeric(value: str) -> str:
    return "".join(filter(str.isalnum, value.casefold()))
