"""What a replay would do now, without changing anything."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from producers.dead_letters.selection import Copies, select_open
from queues.dead_letters import iter_paged
from schemas.messages.messages import USER_SYNC_QUEUE
from workers.dry_run.replay_forecast import ReplayForecast, forecast_replay
from workers.user_sync import UserSyncHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.services import Services
    from schemas.messages.dead_letter import DeadLetter
    from schemas.messages.dead_letter_filter import DeadLetterFilter


def replay_dry_run(
    wanted: DeadLetterFilter, *, limit: int | None, original_payload: bool, services: Services
) -> ReplayForecast:
    """Try the users' dead letters that a filter chooses, at most `limit`, and return their outcomes."""
    blocked, copies = 0, Copies()

    def replayable() -> Iterator[DeadLetter]:
        nonlocal blocked
        for portion in iter_paged(services.broker, (USER_SYNC_QUEUE,)):
            of_users = [each for each in portion if each.receipt_key is not None]
            for dead_letter, state in select_open(of_users, wanted, store=services.store):
                if copies.is_copy(dead_letter):
                    continue
                if state is not None and state.awaits_answer:
                    blocked += 1
                else:
                    yield dead_letter

    handler = UserSyncHandler(store=services.store, gateways=services.gateways, cipher=services.cipher)
    found = forecast_replay(islice(replayable(), limit), handler, original_payload=original_payload)
    return replace(found, awaits_answer=blocked)
