"""Counts requests for runs that were refused while a halted run waited for an answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from administration.dead_letters.browse import browse
from schemas.dead_letter_reasons import Reason
from schemas.errors import OperatorError, TransientError
from schemas.messages.dead_letter_filter import DeadLetterFilter
from schemas.messages.messages import TENANT_SYNC_QUEUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queues.interfaces import DeadLetterSource
    from store.store import Store

#: Dead letters that are read at most.
_LIMIT: Final = 1000

_REFUSED: Final = DeadLetterFilter(queues=(TENANT_SYNC_QUEUE,), reasons=(Reason.GUARD_UNANSWERED,))


def refused_requests(broker: DeadLetterSource, *, store: Store) -> Mapping[str, int]:
    """Return how many requests of each tenant are dead letters for this reason; none if RabbitMQ is away."""
    try:
        found = browse(_REFUSED, store=store, broker=broker, limit=_LIMIT)
        return Counter(each.tenant for each, _ in found if each.tenant is not None)
    except (TransientError, OperatorError):
        return {}
