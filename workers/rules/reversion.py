"""Decides which values an undo restores: those that a run wrote and Skolon still has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.users.attributes import Attribute, values_match
from workers.rules.uniqueness import is_temporary

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from schemas.runs.before_image import ChangeRecord
    from schemas.users.skolon_user import SkolonUser


@dataclass(frozen=True, kw_only=True)
class Reversion:
    """The attributes to write with their earlier values, and those that need nothing.

    Those of `skipped` changed since. Those of `as_before` have their earlier values already.
    """

    changes: Mapping[Attribute, str | None]
    skipped: tuple[Attribute, ...]
    as_before: tuple[Attribute, ...] = ()


def revert(
    user: SkolonUser,
    written: ChangeRecord,
    *,
    user_id: str,
    since: Collection[ChangeRecord] = (),
    untouched: bool = False,
) -> Reversion:
    """Compare a Skolon user with the values that a run wrote to it for the Entra user `user_id`.

    An attribute that has its earlier value needs nothing: the run's change never arrived, or was reverted
    already. `since` holds the values that newer runs wrote: their attributes are skipped. `untouched` says
    that the user has not changed since the run. Then Skolon has the written value, even if it spells it
    otherwise. A temporary value is the sync's own: the undo may have written it to make way for another user.
    """
    changes: dict[Attribute, str | None] = {}
    skipped, as_before = [], []
    for attribute, old in sorted(written.before_image.items()):
        held = user.attributes.get(attribute)
        if values_match(attribute, held, old):
            as_before.append(attribute)
            continue
        is_ours = written.wrote(attribute, held) or is_temporary(attribute, user_id, held)
        is_newer = any(other.wrote(attribute, held) for other in since)
        if (untouched and attribute in written.last_written) or (is_ours and not is_newer):
            changes[attribute] = old
        else:
            skipped.append(attribute)
    return Reversion(changes=changes, skipped=tuple(skipped), as_before=tuple(as_before))
