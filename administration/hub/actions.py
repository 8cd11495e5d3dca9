"""Carries actions out once, however often they are asked for, and records who did what."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import TransientError, UsageError
from schemas.hub.action import ActionRefusal, ActionRefusedError, is_action_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.hub.action import Action, Actor, BegunAction
    from store.store import Store

#: Seconds in which the first of two requests for an action is waited for, and between two looks.
_PATIENCE: Final = 10.0
_POLL_INTERVAL: Final = 0.1


def carry_out(
    action: Action, actor: Actor, do: Callable[[], Mapping[str, Any]], *, store: Store
) -> Mapping[str, Any]:
    """Do what an action is, unless it was done before, and return its answer.

    `do` must bear to be called again after a crash or a `TransientError`, which it may raise. What it refuses
    by a `UsageError` is forgotten. Raises `UsageError` for a key that is none, and `ActionRefusedError` for
    another action's.
    """
    if not is_action_key(action.key):
        raise UsageError("The key has 1 to 100 letters, digits, hyphens and underscores.")
    begun = _begin(action, actor, store)
    if begun.result is not None:
        return begun.result
    try:
        result = do()
    except UsageError:
        store.hub_actions.withdraw(action)
        raise
    except TransientError:
        store.hub_actions.release(action)
        raise
    store.hub_actions.finish(action, result)
    return result


def _begin(action: Action, actor: Actor, store: Store) -> BegunAction:
    """Begin an action, or wait for the answer of the request that has begun it."""
    ends = time.monotonic() + _PATIENCE
    while True:
        begun = store.hub_actions.begin(action, actor)
        if not begun.is_under_way:
            return begun
        if time.monotonic() >= ends:
            message = "It is being done already: look again in a moment."
            raise ActionRefusedError(ActionRefusal.UNDER_WAY, message)
        time.sleep(_POLL_INTERVAL)
