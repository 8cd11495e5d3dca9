"""Dates dead letters by since when their users fail: each run replaces the dead letter of the one before."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from schemas.messages.dead_letter import DeadLetter
    from store.store import Store

#: Dead letters whose users are looked up together.
_BATCH: Final = 500


def since_first_failure(dead_letters: Iterable[DeadLetter], *, store: Store) -> Iterator[DeadLetter]:
    """Yield dead letters with since when their users fail, and others with since when they are dead.

    Reads some ahead. Raises `TransientError` (database).
    """
    left = iter(dead_letters)
    while batch := list(islice(left, _BATCH)):
        users = [_user(each) for each in batch]
        since = store.user_history.failing_since({user for user in users if user is not None})
        for each, user in zip(batch, users, strict=True):
            known = None if user is None else since.get(user)
            yield replace(each, dead_since=known or each.dead_since)


def _user(dead_letter: DeadLetter) -> tuple[str, str] | None:
    """Return whose it is, the tenant's key and the id in Entra; None if it is no user's."""
    key, tenant = dead_letter.receipt_key, dead_letter.tenant
    return None if key is None or tenant is None else (tenant, key[1])
