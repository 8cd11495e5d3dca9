"""Dates dead letters by since when their users fail: each run replaces the dead letter of the one before."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
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
        users: dict[str, set[str]] = {}
        for each in batch:
            if each.tenant is not None and each.receipt_key is not None:
                users.setdefault(each.tenant, set()).add(each.receipt_key[1])
        since: dict[tuple[str | None, str | None], dt.datetime] = {
            (tenant, user): moment
            for tenant, ids in users.items()
            for user, moment in store.user_history.failing_since(tenant, ids).items()
        }
        for each in batch:
            user = None if each.receipt_key is None else each.receipt_key[1]
            yield replace(each, dead_since=since.get((each.tenant, user), each.dead_since))
