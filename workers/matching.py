"""Whom in Skolon an Entra user is: the tenant's match keys, and the choice among those found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.attributes import TABLE, Attribute, same_key
from schemas.errors import PermanentError
from schemas.outcomes import Reason, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.skolon_user import SkolonUser


def keys_to_match(
    mapped: Mapping[Attribute, str | None], match_keys: Iterable[Attribute]
) -> dict[Attribute, str]:
    """Return the match keys that have a value for this user, in the tenant's order."""
    return {key: value for key in match_keys if (value := mapped.get(key)) is not None}


def choose(found: Iterable[SkolonUser], keys: Mapping[Attribute, str]) -> SkolonUser | None:
    """Return the one that the first key with hits names, or None when no key has any.

    Whether somebody is a hit is decided here and not by the server, whose search may be wider than
    asked. Raises `PermanentError` (`ambiguous_match`) with the Skolon ids when that key has several.
    """
    candidates = list(found)
    for key, value in keys.items():
        hits = {user.id: user for user in candidates if _has(user, key, value)}
        if len(hits) > 1:
            raise PermanentError(
                Reason.AMBIGUOUS_MATCH,
                Stage.MATCH,
                f"{len(hits)} Skolon users have the same {TABLE[key].title}: {', '.join(sorted(hits))}",
            )
        if hits:
            return next(iter(hits.values()))
    return None


def _has(user: SkolonUser, key: Attribute, value: str) -> bool:
    held = user.attributes.get(key)
    return held is not None and same_key(key, held, value)
