"""Answers to a match, from pages and programs: what each means, and giving it once."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from administration.hub.actions import carry_out
from administration.matches.affected import DecisionEffects, failed_undos_of, find_decision
from administration.matches.decisions import MatchDecider
from administration.matches.link_evidence import runs_that_wrote
from administration.runs.actions.start import event_of
from administration.runs.trigger import publish_request
from schemas.errors import HaltError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.tenants.match_decision import DecisionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from administration.matches.affected import AffectedUser, LostValue
    from administration.matches.decisions import Decided
    from administration.matches.link_evidence import Written
    from clients.gateways import Gateways
    from queues.interfaces import Publisher
    from schemas.hub.action import Submission
    from schemas.runs.run import Run
    from schemas.tenants.match_decision import FailedUndo, MatchDecision
    from store.store import Store
    from workers.rules.matching import WeighedMatch


class AnswerKind(StrEnum):
    """What is answered."""

    #: The user in Entra is the user in Skolon.
    LINK = "link"
    #: The user in Entra is left alone.
    IGNORE_USER = "ignore_user"
    #: The user in Skolon is left alone.
    IGNORE_SKOLON_USER = "ignore_skolon_user"


@dataclass(frozen=True, kw_only=True)
class MatchAnswer:
    """An answer to the match of a user in Entra; `skolon_id` is the user in Skolon that it is about.

    Raises `ValueError` if one is needed and there is none.
    """

    kind: AnswerKind
    user: str
    skolon_id: str | None = None

    def __post_init__(self) -> None:
        """Check that the answer is about a user in Skolon if it needs one."""
        if self.kind is not AnswerKind.IGNORE_USER and not self.skolon_id:
            raise ValueError("The answer names no user in Skolon.")

    @property
    def decision(self) -> DecisionKind:
        """The kind of decision that it is."""
        return DecisionKind.LINK if self.kind is AnswerKind.LINK else DecisionKind.IGNORE

    @property
    def named(self) -> dict[str, str | None]:
        """The users that the decision names: one that is left alone stands alone."""
        return {
            "entra_id": None if self.kind is AnswerKind.IGNORE_SKOLON_USER else self.user.lower(),
            "skolon_id": None if self.kind is AnswerKind.IGNORE_USER else self.skolon_id,
        }


@dataclass(frozen=True, kw_only=True)
class DecisionPlan:
    """What an answer, or taking a decision back, means before it is done.

    `own` is what a run would come to for the user in Entra itself, and `others` for those that it affects.
    `lost` values could not be restored. `weighed` is there for a link. `wrote` is what runs have written
    because of a decision that is taken back, which stays. `halted` is a run that has to be answered first.
    """

    own: AffectedUser | None = None
    others: Sequence[AffectedUser] = ()
    lost: Sequence[LostValue] = ()
    weighed: WeighedMatch | None = None
    wrote: Sequence[Written] = ()
    halted: Run | None = None

    @property
    def needs_confirmation(self) -> bool:
        """Whether a program has to confirm it, as the command line asks."""
        return bool(
            self.lost
            or (self.weighed is not None and not self.weighed.is_proven)
            or any(each.is_written for each in self.others)
        )


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The user that a decision is about which is taken back: one of Entra or of Skolon."""

    entra_id: str | None = None
    skolon_id: str | None = None

    @property
    def named(self) -> dict[str, str | None]:
        """The two ids, of which one is None."""
        return {"entra_id": self.entra_id, "skolon_id": self.skolon_id}


def plan_answer(tenant: str, answer: MatchAnswer, *, store: Store, gateways: Gateways) -> DecisionPlan:
    """Return what an answer would do; nothing is changed.

    Raises `ActionRefusedError` if it cannot be given, and `TransientError` if Entra or Skolon is away.
    """
    with _refusals():
        decider = MatchDecider(tenant=tenant, operator=None, store=store)
        _check_undecided(tenant, answer, store)
        weighed = None
        if answer.kind is AnswerKind.LINK:
            weighed = decider.weigh_link(answer.user, str(answer.skolon_id), gateways)
        else:
            decider.check_ignore(gateways, **answer.named)
        effects = DecisionEffects(tenant, store=store, gateways=gateways)
        own = effects.on_user(answer.user, answer.decision, **answer.named)
        others = effects.of_deciding(answer.decision, **answer.named)
        return DecisionPlan(
            own=own,
            others=[each for each in others if each.user != answer.user.lower()],
            lost=effects.lost_values(answer.user, str(answer.skolon_id)) if weighed is not None else (),
            weighed=weighed,
            halted=decider.halted_run(),
        )


def plan_forget(tenant: str, subject: Subject, *, store: Store, gateways: Gateways) -> DecisionPlan:
    """Return what taking a decision back would do; nothing is changed. Raises as `plan_answer` does."""
    with _refusals():
        decision, _ = decision_of(tenant, subject, store=store)
        others = DecisionEffects(tenant, store=store, gateways=gateways).of_forgetting(**subject.named)
        return DecisionPlan(
            others=others,
            wrote=() if decision is None else runs_that_wrote(decision, tenant=tenant, store=store),
            halted=MatchDecider(tenant=tenant, operator=None, store=store).halted_run(),
        )


def decision_of(
    tenant: str, subject: Subject, *, store: Store
) -> tuple[MatchDecision | None, FailedUndo | None]:
    """Return what can be taken back about a user: a decision, or the wait of an undo that failed.

    Raises `ActionRefusedError` if there is neither.
    """
    decision = find_decision(tenant, store=store, **subject.named)
    failed = failed_undos_of(tenant, store=store, **subject.named)
    if decision is None and not failed:
        raise ActionRefusedError(ActionRefusal.UNDECIDED, "There is no decision about this user.")
    return decision, next(iter(failed), None)


def answer_once(  # noqa: PLR0913 - the answer, whose it is, and what applies it
    tenant: str,
    answer: MatchAnswer,
    submission: Submission,
    *,
    store: Store,
    gateways: Gateways,
    publisher: Publisher,
) -> Mapping[str, Any]:
    """Give an answer, once for each key of a submission, and have its users synced; return what was done.

    Raises `ActionRefusedError` if it cannot be given, and as `carry_out` does.
    """
    # With a key that is known, the process that has decided may have died before it was done.
    is_again = store.hub_actions.is_known(tenant, submission.key)
    decider = MatchDecider(tenant=tenant, operator=submission.actor.operator, store=store)
    is_link = answer.kind is AnswerKind.LINK

    def decide() -> Decided:
        if not is_again:
            _check_undecided(tenant, answer, store)
        if is_link:
            return decider.link(answer.user, str(answer.skolon_id), gateways)
        return decider.ignore(gateways, **answer.named)

    action = Action(
        kind=AuditKind.MATCH_LINKED if is_link else AuditKind.USER_IGNORED,
        tenant=tenant,
        key=submission.key,
        event=event_of(tenant, submission.key),
        user=answer.named["entra_id"],
        skolon_id=answer.named["skolon_id"],
        # The page of which user in Entra it was given on.
        fields={"answer": str(answer.kind), "user": answer.user.lower()},
    )
    return _decide_once(action, submission, decide, store=store, publisher=publisher)


def forget_once(
    tenant: str, subject: Subject, submission: Submission, *, store: Store, publisher: Publisher
) -> Mapping[str, Any]:
    """Take a decision back, once for each key of a submission; as `answer_once` in all else."""
    is_again = store.hub_actions.is_known(tenant, submission.key)
    decider = MatchDecider(tenant=tenant, operator=submission.actor.operator, store=store)

    def forget() -> Decided:
        try:
            return decider.forget(**subject.named)
        except ActionRefusedError:
            if not is_again:
                raise
            return decider.sync_again(**subject.named)

    action = Action(
        kind=AuditKind.DECISION_FORGOTTEN,
        tenant=tenant,
        key=submission.key,
        event=event_of(tenant, submission.key),
        user=subject.entra_id,
        skolon_id=subject.skolon_id,
    )
    return _decide_once(action, submission, forget, store=store, publisher=publisher)


def _decide_once(
    action: Action,
    submission: Submission,
    decide: Callable[[], Decided],
    *,
    store: Store,
    publisher: Publisher,
) -> Mapping[str, Any]:
    def do() -> dict[str, Any]:
        with _refusals():
            decided = decide()
        event = None
        if decided.request is not None:
            event = event_of(action.tenant, action.key)
            publish_request(decided.request, store=store, publisher=publisher, event_id=event)
        return {
            "kind": str(action.kind),
            "user": action.user or action.fields.get("user"),
            "skolon_user": action.skolon_id,
            "users": list(decided.users),
            "event": event,
            "halted_run": None if decided.halted is None else str(decided.halted.id),
            "undos": [{"run": str(each.entry.run), "user": each.user} for each in decided.wrote],
        }

    return carry_out(action, submission.actor, do, store=store)


def _check_undecided(tenant: str, answer: MatchAnswer, store: Store) -> None:
    """Raise `ActionRefusedError` if another person has decided about one of the users meanwhile."""
    for named in (answer.named, {"entra_id": answer.user, "skolon_id": None}):
        if find_decision(tenant, store=store, **named) is not None:
            message = "There is a decision about one of these users: take it back first."
            raise ActionRefusedError(ActionRefusal.DECIDED, message)


@contextmanager
def _refusals() -> Iterator[None]:
    """Have a service that refuses to be asked refuse the action."""
    try:
        yield
    except HaltError as error:
        raise ActionRefusedError(ActionRefusal.SERVICE_REFUSES, str(error)) from None
