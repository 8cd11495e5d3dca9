"""Which source in Entra the values in Skolon come from, as a user's receipt remembers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping


def format_later_sources(sources: Mapping[Attribute, str]) -> str:
    """Return the attributes whose value comes from a later source than their first, each with that source.

    The text is empty if every value comes from its attribute's first source.
    """
    return " ".join(f"{attribute}:{source}" for attribute, source in sorted(sources.items()))


def parse_later_sources(text: str) -> dict[Attribute, str]:
    """Return what `format_later_sources` has written."""
    pairs = (word.split(":") for word in text.split())
    return {Attribute(attribute): source for attribute, source in pairs}
