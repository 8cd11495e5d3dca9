"""Masks personal values so that only their shape is left.

Each run of letters becomes three dots, whatever its length, and each digit a `#`. Other characters are masked
too, except for those that give e-mail addresses, dates and numbers their form.
"""

from __future__ import annotations

import re
from typing import Final

from schemas.users.attributes import Attribute
from workers.pipeline.accounts import is_object_id

_DOTS: Final = "•••"
_KEPT: Final = "@.-_+ "

#: One digit; or a run of other characters that are not kept, such as letters of any alphabet.
_PIECES: Final = re.compile(rf"[0-9]|[^0-9{re.escape(_KEPT)}]+")


def mask(value: str | None) -> str:
    """Return a value's shape, `blank` for none."""
    if value is None:
        return "blank"
    return _PIECES.sub(lambda piece: "#" if piece[0] in "0123456789" else _DOTS, value)


def shown_value(attribute: Attribute, value: str | None, *, values: bool) -> str | None:
    """Return a value as it may be shown: as it is with `values`, else its shape.

    An External Id that is an account's id in Entra is an id like others and no personal value; one from
    another source is masked.
    """
    if values or value is None or (attribute is Attribute.EXTERNAL_ID and is_object_id(value)):
        return value
    return mask(value)


def diff_hint(old: str | None, new: str | None) -> str | None:
    """Return how two different values differ, such as by case alone; None if no hint would help."""
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
