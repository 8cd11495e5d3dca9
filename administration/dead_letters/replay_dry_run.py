"""What a replay would do now, without changing anything."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from producers.dead_letters.selection import select_open
from queues.dead_letters import iter_paged
from schemas.messages.messages import USER_SYNC_QUEUE
from workers.dry_run.replay_forecast import ReplayForecast, forecast_replay
from workers.user_sync import UserSyncHandler

if TYPE_CHECKING:
    from bootstrap.services import Services
    from schemas.messages.dead_letter_filter import DeadLetterFilter


def replay_dry_run(
    wanted: DeadLetterFilter, *, limit: int | None, original_payload: bool, services: Services
) -> ReplayForecast:
    """Try the users' dead letters that a filter chooses, at most `limit`, and return their outcomes."""
    chosen = (
        dead_letter
        for portion in iter_paged(services.broker, (USER_SYNC_QUEUE,))
        for dead_letter, _ in select_open(
            [each for each in portion if each.receipt_key is not None], wanted, store=services.store
        )
    )
    handler = UserSyncHandler(store=services.store, gateways=services.gateways, cipher=services.cipher)
    return forecast_replay(islice(chosen, limit), handler, original_payload=original_payload)
