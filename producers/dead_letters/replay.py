"""Replays dead letters in growing steps; may be killed at any moment and started again.

For each batch, in this order: the receipts are reopened under this operation, the messages are published and
confirmed, the dead letters are acknowledged. If it is killed in between, the dead letters remain, and the
next replay takes over the receipts: messages that the first one published have no effect then.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from producers.dead_letters.ramp import describe_failures, exceeds_failure_limit, in_order, step_size
from producers.dead_letters.replay_request import ReplayHooks, ReplayProgress, ReplayRequest
from producers.dead_letters.replay_runs import RunReplayer
from producers.dead_letters.selection import iter_selected
from producers.reconciliation.receipts import is_authentic, reconcile_receipts
from queues.dead_letters import iter_locked
from queues.message import replay_message
from schemas.details.detail import Detail, joined
from schemas.details.kinds import DetailKind
from schemas.errors import TransientError
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE, USER_SYNC_QUEUE, UserSync
from schemas.runs.operation import Operation, OperationKind, OperationStatus, ReplayResults
from schemas.users.graph_user import is_placeholder_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from queues.interfaces import BrowsedMessage, DeadLetterBrowser, Message, ReplayBroker
    from schemas.dead_letter_reasons import Reason
    from schemas.messages.dead_letter import DeadLetter
    from store.receipts.replays import Key, ReceiptState
    from store.store import Store

#: Dead letters that are published together, and that are replayed in one pass over the queue.
BATCH_SIZE: Final = 500
BROWSE_SIZE: Final = 1000

#: Seconds after which a pass ends, so that other commands can browse the queue too.
MAX_BROWSE_SECONDS: Final = 20.0

#: Seconds between two checks of a step's results, and between two checks for orphaned receipts.
POLL_INTERVAL: Final = 0.5
ORPHAN_CHECK_INTERVAL: Final = 30.0


class _EndedError(Exception):
    """The replay ends early."""

    def __init__(self, progress: OperationStatus, detail: Detail) -> None:
        super().__init__(detail)
        self.progress = progress
        self.detail = detail


class _TooManyFailedError(_EndedError):
    """Too many users of a step have failed again."""


class Replay:
    """One replay; recorded as an operation when it is created."""

    def __init__(
        self, request: ReplayRequest, *, store: Store, broker: ReplayBroker, hooks: ReplayHooks
    ) -> None:
        self._request = request
        self._store = store
        self._broker = broker
        self._hooks = hooks
        begun = store.operations.start(
            OperationKind.REPLAY,
            selection=request.as_json(),
            operator=request.operator,
            original_payload=request.original_payload,
            task=request.task,
        )
        self._operation = begun.id
        self._users = request.expected.get(USER_SYNC_QUEUE, 0)
        self._left = 0
        self._reason: Reason | None = None
        self._published = 0
        self._settled_before = 0
        self._results = ReplayResults(open=0)
        self._runs = RunReplayer(request.selection, operation=begun.id, store=store, broker=broker)
        self._give_up_after: dict[str, float] = {}

    def run(self) -> Operation:
        """Replay what was requested, and return the operation; raises `TransientError` in an outage."""
        progress, notes = OperationStatus.COMPLETED, list[str]()
        try:
            self._replay_runs()
            self._replay_users()
        except _EndedError as error:
            progress, notes = error.progress, [error.detail]
        except TransientError as error:
            problem = Detail(DetailKind.SERVICE_PROBLEM, service=error.dependency, problem=error.detail)
            progress, notes = OperationStatus.STOPPED, [problem]
        self._results = self._store.replays.results(self._operation)
        notes = [*self._runs.notes, *notes]
        counts = self._counts()
        left = self._users - self._published - self._settled_before
        if progress is not OperationStatus.COMPLETED and left > 0:
            counts["left"] = left
        return self._store.operations.finish(
            self._operation, progress, counts, joined(notes) if notes else None
        )

    def _replay_runs(self) -> None:
        if triggers := self._request.expected.get(TENANT_SYNC_QUEUE):
            self._runs.replay_triggers(triggers)
        if pages := self._request.expected.get(TENANT_PAGES_QUEUE):
            self._runs.replay_pages(pages)

    def _replay_users(self) -> None:
        """Replay the users of one reason after the other; what stops one of them lets the next begin."""
        stopped = []
        for reason, users in self._groups():
            self._reason, self._left = reason, users
            try:
                self._replay_group()
            except _TooManyFailedError as error:
                # The failures of those that are on their way are not the next reason's.
                self._wait_for_results(self._update_results)
                problem = error.detail
                if len(self._groups()) > 1:
                    problem = Detail(DetailKind.OF_REASON, reason=f"{reason}", problem=problem)
                stopped.append(problem)
        if stopped:
            raise _EndedError(OperationStatus.STOPPED, joined(stopped))

    def _groups(self) -> list[tuple[Reason | None, int]]:
        """Return the reasons in their order, each with its number of users; None stands for all reasons."""
        reasons = self._request.reasons
        if not reasons:
            return [(None, self._users)]
        return [(reason, reasons[reason]) for reason in in_order(reasons)]

    def _replay_group(self) -> None:
        step = 0
        while self._left:
            published, failed = self._published, Counter(self._results.reasons)
            self._publish(step_size(step, self._left), published, failed)
            self._wait_for_results(partial(self._check_results, published, failed))
            step += 1

    def _publish(self, users: int, published: int, failed: Counter[Reason]) -> None:
        """Publish a step; `published` and `failed`, by reason, are the totals before it."""
        while self._left and self._published - published < users:
            self._walk(min(BROWSE_SIZE, users - (self._published - published)))
            self._store.operations.record_progress(self._operation, self._counts())
            self._check_results(published, failed)

    def _walk(self, users: int) -> None:
        """Publish the next users of the queue in one pass."""
        ends = time.monotonic() + MAX_BROWSE_SECONDS
        published = self._published
        with self._broker.browse_dead_letters(USER_SYNC_QUEUE) as browser:
            chosen = (found for found in browser if self._may_be_replayed(found.dead_letter))
            selected = iter_selected(chosen, self._request.selection, store=self._store)
            while (missing := users - (self._published - published)) and time.monotonic() < ends:
                self._check_cancelled()
                batch = list(islice(selected, min(missing, self._batch(), self._left)))
                if not batch:
                    if missing:
                        # Another command has taken the others.
                        self._left = 0
                    return
                count = self._replay(batch, browser)
                if self._request.rate:
                    browser.pause(count / self._request.rate)

    def _batch(self) -> int:
        return (
            BATCH_SIZE if self._request.rate is None else max(1, min(BATCH_SIZE, round(self._request.rate)))
        )

    def _may_be_replayed(self, dead_letter: DeadLetter) -> bool:
        return (
            dead_letter.receipt_key is not None
            and dead_letter.operation != self._operation
            and self._reason in (None, dead_letter.failure.reason)
            and self._request.selection.matches_properties(dead_letter)
            and is_authentic(dead_letter, store=self._store)
        )

    def _replay(self, batch: list[BrowsedMessage], browser: DeadLetterBrowser) -> int:
        """Replay a batch and return how many users were published."""
        dead_letters = {
            key: found.dead_letter for found in batch if (key := found.dead_letter.receipt_key) is not None
        }
        known = reconcile_receipts(dead_letters.values(), store=self._store).states
        states = {key: state for key, state in known.items() if not state.awaits_answer}
        # Other copies of users that this replay has taken up before.
        copies = {key for key, state in states.items() if state.operation == self._operation}
        opened = self._store.replays.reopen(self._operation, states)
        self._broker.publish([self._message(dead_letters[key], states[key], key) for key in sorted(opened)])
        for found in batch:
            # A user that was not reopened has an outcome by now, or is being replayed already.
            if found.dead_letter.receipt_key in states:
                browser.ack(found)
        self._left = max(0, self._left - len(states.keys() - copies))
        self._published += len(opened)
        self._settled_before += len(states) - len(opened) - len(copies)
        return len(opened)

    def _message(self, dead_letter: DeadLetter, state: ReceiptState, key: Key) -> Message[None]:
        run, user = key
        keeps_payload = self._request.original_payload or is_placeholder_id(user)
        fields = UserSync(tenant=state.tenant, run=run, user=user, payload=dead_letter.payload)
        data = self._store.message_cipher.decrypt_user(fields).data if keeps_payload else None
        fields = self._store.message_cipher.encrypt_user(fields, data, operation=self._operation)
        if state.tenant not in self._give_up_after:
            settings = self._store.tenants.outline(state.tenant)
            self._give_up_after[state.tenant] = settings.give_up_after_hours
        return replay_message(
            dead_letter,
            fields,
            operation=self._operation,
            give_up_after_hours=self._give_up_after[state.tenant],
        )

    def _wait_for_results(self, check: Callable[[], None]) -> None:
        """Wait until all users have an outcome, however long an outage lasts (promise P8).

        `check` is called each time to read the results.
        """
        began = looked = time.monotonic()
        while True:
            try:
                check()
                if not self._results.open:
                    return
                if time.monotonic() - looked > ORPHAN_CHECK_INTERVAL:
                    self._reconcile_orphans()
                    looked = time.monotonic()
            except TransientError as error:
                self._show_progress(waiting_for=str(error))
            timeout = self._request.step_timeout
            if timeout is not None and time.monotonic() - began > timeout:
                detail = Detail(DetailKind.STILL_PENDING, seconds=f"{timeout:g}", users=self._results.open)
                raise _EndedError(OperationStatus.STOPPED, detail)
            self._check_cancelled()
            self._hooks.sleep(POLL_INTERVAL)

    def _check_results(self, published: int, failed: Counter[Reason]) -> None:
        """Check the results so far, and stop if too many failed again."""
        self._update_results()
        reasons, tried = Counter(self._results.reasons) - failed, self._published - published
        again = reasons.total()
        if exceeds_failure_limit(again, tried, self._request.max_failed):
            detail = describe_failures(again, tried, reasons, limit=self._request.max_failed)
            raise _TooManyFailedError(OperationStatus.STOPPED, detail)

    def _update_results(self) -> None:
        self._results = self._store.replays.results(self._operation)
        self._show_progress()

    def _reconcile_orphans(self) -> None:
        for portion in iter_locked(self._broker, (USER_SYNC_QUEUE,)):
            reconcile_receipts(
                (dead_letter for dead_letter in portion if dead_letter.operation == self._operation),
                store=self._store,
            )

    def _check_cancelled(self) -> None:
        if self._hooks.is_cancelled():
            raise _EndedError(OperationStatus.CANCELLED, Detail(DetailKind.CANCELLED_BY_OPERATOR))

    def _show_progress(self, waiting_for: str | None = None) -> None:
        self._hooks.on_progress(
            ReplayProgress(
                operation=self._operation,
                users=self._users,
                published=self._published,
                results=self._results,
                waiting_for=waiting_for,
            )
        )

    def _counts(self) -> dict[str, int]:
        settled = self._results
        known = settled.open + sum(settled.outcomes.values())
        counts = Counter(
            {
                "published": self._published,
                "settled_before": self._settled_before,
                "on_their_way": settled.open,
                "taken_over": self._published - known,
                **{str(outcome): count for outcome, count in settled.outcomes.items()},
                **{f"dead_lettered {reason}": count for reason, count in settled.reasons.items()},
            }
        )
        counts.update(self._runs.counts)
        return {name: count for name, count in counts.items() if count}
