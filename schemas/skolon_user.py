"""A user as Skolon has it, in the words of the attribute table, whatever API it came through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.attributes import Attribute


@dataclass(frozen=True, kw_only=True)
class SkolonUser:
    """One Skolon user.

    `attributes` holds all fourteen, None where Skolon has nothing. `version` is what an update has
    to be based on (HTTP's entity tag), None where Skolon gives none. `entries` names the typed
    entries that exist, such as ("emails", "work"): they decide whether one is changed or added.
    """

    id: str
    version: str | None
    attributes: Mapping[Attribute, str | None]
    entries: frozenset[tuple[str, str]] = frozenset()
