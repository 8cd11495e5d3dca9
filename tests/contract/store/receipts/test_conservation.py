"""P3: in any order of events, each published user is counted once."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.outcomes import FINAL_OUTCOMES, OPEN_STATUSES, Cause, Outcome, Status
from schemas.users.attributes import Attribute
from store.receipts.collisions import CollisionError
from tests.contract.store.factories import begin_run, dead_letter, result

if TYPE_CHECKING:
    from store.store import Store

USERS = st.sampled_from([f"user-{number}" for number in range(6)])
OUTCOMES = st.sampled_from([outcome for outcome in FINAL_OUTCOMES if outcome is not Outcome.DEAD_LETTERED])
SKOLON_USERS = st.none() | st.sampled_from(["s1", "s2", "s3"])

Step: TypeAlias = tuple[object, ...]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.lists(USERS, max_size=4)),
        st.tuples(st.just("finish"), USERS, OUTCOMES, SKOLON_USERS),
        st.tuples(st.just("claim"), USERS, st.sampled_from(["s1", "s2", "s3"])),
        st.tuples(st.just("dead letter"), USERS),
        st.tuples(st.sampled_from(["halt", "resume", "finish reading"])),
    ),
    max_size=25,
)
EVENTS = count()


class Model:
    """What the books have to say: the same rules, over a dict."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.run = begin_run(store, f"event {next(EVENTS)}")
        self.outcomes: dict[str, Outcome] = {}
        self.claimed: set[str] = set()

    def status(self) -> Status:
        return self.store.runs.get(self.run.id).status

    def take(self, step: Step) -> None:
        match step:
            case ("publish", [*users]) if self.status() is Status.READING:
                self.publish([str(user) for user in users])
            case ("finish", str(user), Outcome() as outcome, skolon_id):
                self.finish(user, outcome, None if skolon_id is None else str(skolon_id))
            case ("claim", str(user), str(skolon_id)) if self.outcomes.get(user) is Outcome.PENDING:
                self.claim(user, skolon_id)
            case ("dead letter", str(user)):
                recorded = self.store.receipts.mark_dead_lettered(self.run.id, user, dead_letter(), 1)
                self.settle(user, Outcome.DEAD_LETTERED, recorded=recorded)
            case ("halt",):
                self.store.runs.halt(self.run.id, Cause.BUG, "a bug")
            case ("resume",) if self.status() is Status.HALTED:
                self.store.runs.resume(self.run.id)
            case ("finish reading",):
                self.store.runs.finish_reading(self.run.id)

    def publish(self, users: list[str]) -> None:
        for user in users:
            self.outcomes.setdefault(user, Outcome.PENDING)
        pending = {user for user in users if self.outcomes[user] is Outcome.PENDING}
        assert self.store.receipts.create_pending(self.run.id, users) == pending

    def claim(self, user: str, skolon_id: str) -> None:
        try:
            self.store.claims.claim(self.run.id, user, skolon_id, {Attribute.CITY: None})
        except CollisionError as error:
            assert error.entra_id in self.outcomes.keys() - {user}  # noqa: PT017 - either may come
        else:
            self.claimed.add(user)

    def finish(self, user: str, outcome: Outcome, skolon_id: str | None) -> None:
        try:
            recorded = self.store.receipts.finish(self.run.id, user, result(outcome, skolon_id))
        except CollisionError as error:
            assert self.outcomes[user] is Outcome.PENDING
            assert error.entra_id in self.outcomes.keys() - {user}  # noqa: PT017 - either may come
        else:
            # What was found right after a claim was written by a delivery of the same message.
            ours = outcome is Outcome.UNCHANGED and user in self.claimed
            self.settle(user, Outcome.UPDATED if ours else outcome, recorded=recorded is not None)

    def settle(self, user: str, outcome: Outcome, *, recorded: bool) -> None:
        assert recorded is (self.outcomes.get(user) is Outcome.PENDING)
        if recorded:
            self.outcomes[user] = outcome

    def check(self) -> None:
        summary = self.store.runs.summary(self.run.id)
        assert summary.counts == Counter(self.outcomes.values())
        assert summary.published == len(self.outcomes)
        assert sum(summary.reasons.values()) == summary.counts.get(Outcome.DEAD_LETTERED, 0)
        assert summary.run.status is not Status.COMPLETED or summary.pending == 0


# The same database serves all examples: each has a run of its own in it.
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_everybody_is_counted_once(store: Store, steps: list[Step]) -> None:
    """P3: after every step the counts equal those of a plain dict, and a complete run has no pending user."""
    model = Model(store)
    try:
        for step in steps:
            model.take(step)
            # As every worker does after its last step, and every page after its own.
            store.runs.complete_if_done(model.run.id)
            model.check()
    finally:
        if model.status() in (*OPEN_STATUSES, Status.HALTED):
            store.runs.cancel(model.run.id)
