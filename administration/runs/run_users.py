"""The users of a run by their outcome."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from administration.paging import ReadsUsers
    from schemas.dead_letter_reasons import Reason
    from schemas.outcomes import Outcome
    from schemas.runs.changes import ChangeKind
    from schemas.runs.receipt import Receipt
    from schemas.users.attributes import Attribute
    from store.store import Store


def run_users_list(
    run: int, outcome: Outcome | None, reason: Reason | None, *, store: Store
) -> ReadsUsers[Receipt]:
    """Return the list of a run's users with an outcome, and with a reason if one is named.

    Users whom a rule of the scope or Skolon leaves out may be protected: they are in no list.
    """
    return partial(store.receipts.list, run, outcome=outcome, reason=reason, with_protected=False)


def changed_users_list(
    run: int, attribute: Attribute, kind: ChangeKind, *, store: Store
) -> ReadsUsers[Receipt]:
    """Return the list of the users whose attribute a run filled, changed or erased, or would have."""
    return partial(store.receipts.list, run, change=(attribute, kind), with_protected=False)
