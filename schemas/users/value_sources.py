"""Which source in Entra the values in Skolon come from, as a user's receipt remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class RememberedSources:
    """What is known of a user's values in Skolon from before.

    `sources` are those that differ from the default's first, None if no receipt tells. `former_orders` are
    then the orders of sources by which runs have looked at the user.
    """

    sources: Mapping[Attribute, str] | None = None
    former_orders: tuple[Mapping[Attribute, tuple[str, ...]], ...] = ()

    def source(self, attribute: Attribute) -> str | None:
        """Return the source that the value in Skolon came from, None if it is not known."""
        if self.sources is None:
            return None
        return self.sources.get(attribute, ATTRIBUTE_TABLE[attribute].default[0])

    def came_first(self, attribute: Attribute, source: str) -> bool:
        """Say whether no other source came before one, when a run looked at the user."""
        return any(order.get(attribute, ())[:1] == (source,) for order in self.former_orders)


#: Of a user without receipts.
NOTHING_REMEMBERED = RememberedSources()


def format_value_sources(sources: Mapping[Attribute, str]) -> str:
    """Return the attributes whose value comes from another source than the default's first, with that source.

    The default does not depend on a tenant's order, which may change. The text is empty for nearly all users.
    """
    return " ".join(
        f"{attribute}:{source}"
        for attribute, source in sorted(sources.items())
        if source != ATTRIBUTE_TABLE[attribute].default[0]
    )


def parse_value_sources(text: str) -> dict[Attribute, str]:
    """Return what `format_value_sources` has written."""
    pairs = (word.split(":") for word in text.split())
    return {Attribute(attribute): source for attribute, source in pairs}
