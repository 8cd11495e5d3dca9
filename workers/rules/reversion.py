"""What an undo puts back: the values from before a run, where Skolon still holds what that run wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.users.attributes import Attribute, values_match

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.runs.before_image import ChangeRecord
    from schemas.users.skolon_user import SkolonUser


@dataclass(frozen=True, kw_only=True)
class Reversion:
    """The attributes to write with their values from before, and those that are left: they changed since."""

    changes: Mapping[Attribute, str | None]
    skipped: tuple[Attribute, ...]


def revert(
    user: SkolonUser, written: ChangeRecord, *, since: Collection[ChangeRecord] = (), untouched: bool = False
) -> Reversion:
    """Compare a Skolon user with what a run wrote to it.

    An attribute that has its value from before needs nothing: the run's change never arrived, or is
    undone already. `since` is what newer runs wrote; their values stay. `untouched` says that the user has
    not changed since the run: then what it wrote last is there, even if Skolon spells it otherwise.
    """
    changes: dict[Attribute, str | None] = {}
    skipped = []
    for attribute, old in sorted(written.before_image.items()):
        held = user.attributes.get(attribute)
        if values_match(attribute, held, old):
            continue
        is_newer = any(other.wrote(attribute, held) for other in since)
        if (untouched and attribute in written.last_written) or (
            written.wrote(attribute, held) and not is_newer
        ):
            changes[attribute] = old
        else:
            skipped.append(attribute)
    return Reversion(changes=changes, skipped=tuple(skipped))
