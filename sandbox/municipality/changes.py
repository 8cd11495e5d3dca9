"""Changes in Entra after the first sync, as a later run or a delta would meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.municipality.common_cases import UNCHANGED_CASE
from sandbox.municipality.seeded_random import seeded_random

if TYPE_CHECKING:
    from sandbox.municipality.municipality import Municipality


def changed_users(municipality: Municipality, count: int, *, seed: int = 1) -> list[dict[str, Any]]:
    """Return ``count`` common users as they are in Entra after something about each has changed.

    Nothing changes by which a user is matched. Raises ValueError when there are too few.
    """
    ordinary = [user.entra for user in municipality if user.case == UNCHANGED_CASE.name]
    if count > len(ordinary):
        raise ValueError(f"only {len(ordinary)} ordinary people live here, not {count}")
    chance = seeded_random(municipality.seed, "changes", seed)
    changes = (
        {"surname": f"Nygift{seed}"},
        {"streetAddress": f"Nya gatan {seed}", "postalCode": "10001"},
        {"mobilePhone": "070-174 06 99", "city": f"Nystad{seed}"},
    )
    return [user | chance.choice(changes) for user in chance.sample(ordinary, count)]
