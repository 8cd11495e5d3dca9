"""What changes in which attribute, as the pages' tables have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.runs.changes import IDENTITY_ATTRIBUTES
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.runs.changes import ChangeCounts, ChangeKind

    #: An attribute, whether it is part of an identity, and how many users it changes for in which way.
    ChangeRow = tuple[Attribute, bool, dict[ChangeKind, int]]


def change_rows(counts: ChangeCounts) -> Sequence[ChangeRow]:
    """Return the attributes that change, in the order of the guide's table."""
    return [
        (attribute, attribute in IDENTITY_ATTRIBUTES, dict(counts.attributes[attribute]))
        for attribute in Attribute
        if attribute in counts.attributes
    ]
