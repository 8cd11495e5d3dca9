"""What a page answers about one user: is Skolon right, whose turn it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from administration.users.current import DelayReason
from administration.users.side_by_side import Agreement
from hub.presentation.actions.operators import operator_text
from hub.presentation.advice import advice_on
from hub.presentation.details import page_detail
from hub.presentation.times import moment
from hub.presentation.users.steps import kept_texts, same_value_texts
from hub.presentation.words import SERVICES
from schemas.dead_letter_reasons import Reason
from schemas.details.protection import may_protect
from schemas.errors import TransientError
from schemas.outcomes import Cause, Mode, NotFoundReason, Outcome
from schemas.reports.remedy import Owner
from schemas.reports.user_status import SyncState
from schemas.tenants.match_decision import DecisionKind
from workers.pipeline import steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask_babel.speaklater import LazyString

    from administration.tenants.next_run import NextRun
    from administration.users.current import CurrentState, Delay
    from administration.users.view import UserView
    from schemas.reports.remedy import Language
    from schemas.tenants.match_decision import MatchDecision


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer at the top: in a few words with Designsystemet's colour, and in sentences.

    `owner` is who must act, None if no one must; `fix` says what to do, or that it goes on by itself.
    """

    short: str
    colour: str
    sentences: tuple[str, ...]
    owner: Owner | None
    fix: str


#: How a row of the table is called, and its colour.
AGREEMENTS: Final[Mapping[Agreement, tuple[LazyString, str]]] = {
    Agreement.SAME: (_("Same"), "success"),
    Agreement.FILLED: (_("Will be filled in"), "info"),
    Agreement.CHANGED: (_("Will be changed"), "info"),
    Agreement.ERASED: (_("Will be emptied"), "info"),
    Agreement.KEPT: (_("Blank in Entra: kept"), "neutral"),
    Agreement.NOT_WRITTEN: (_("Differs, and is not written"), "warning"),
    Agreement.NOT_SYNCED: (_("Not synced"), "neutral"),
    Agreement.ALONE: (_("Nothing to compare with"), "neutral"),
}

#: What the runs recorded, as an answer.
STATES: Final[Mapping[SyncState, tuple[LazyString, str]]] = {
    SyncState.IN_SYNC: (_("Right in Skolon"), "success"),
    SyncState.DEAD_LETTERED: (_("Could not be updated"), "danger"),
    SyncState.NOT_IN_SKOLON: (_("Not in Skolon"), "neutral"),
    SyncState.EXCLUDED: (_("Left out of the sync"), "neutral"),
    SyncState.REVERTED: (_("Former values restored"), "neutral"),
    SyncState.UNKNOWN: (_("No run has reached this user yet"), "neutral"),
}

#: How two masked values differ, by what `administration.users.redaction.diff_hint` says.
HINTS: Final[Mapping[str, LazyString]] = {
    "only upper and lower case differ": _("only upper and lower case differ"),
    "only signs and spaces differ": _("only signs and spaces differ"),
    "only what follows the @ differs": _("only what follows the @ differs"),
    "only what precedes the @ differs": _("only what precedes the @ differs"),
}

_NOT_FOUND: Final[Mapping[NotFoundReason, LazyString]] = {
    NotFoundReason.NO_MATCH_KEY: _("Nothing in Entra can be used to find this user in Skolon."),
    NotFoundReason.NO_LONGER_IN_SKOLON: _("The user in Skolon that this user was linked to is gone."),
    NotFoundReason.EXCLUDED_BY_DECISION: _(
        "It was decided that the matching users in Skolon are left alone."
    ),
}

_DELAYS: Final[Mapping[DelayReason, LazyString]] = {
    DelayReason.TENANT_DISABLED: _("The sync of this organisation is switched off."),
    DelayReason.PENDING_RUN: _("Run %(run)s has not come to this user yet."),
    DelayReason.NEVER_PROCESSED: _("No run has reached this user yet."),
    DelayReason.FAILED: _("Run %(run)s could not update this user; now it would succeed."),
    DelayReason.REVERTED: _("Run %(run)s was an undo and restored the former values."),
    DelayReason.LEFT_OUT: _("Run %(run)s did not find this user in Skolon, or left the user out."),
    DelayReason.CHANGED_SINCE: _("Entra, Skolon or the settings have changed since run %(run)s."),
}


def answer_of(view: UserView, tenant: str, language: Language, *, can_sync: bool = False) -> Answer:
    """Return what to say first about a user of a tenant, in the language of the current request.

    `can_sync` says that the button "Sync now" stands below it.
    """
    now = view.now
    if now is None or now.is_unknown:
        return _recorded_answer(view, language)
    end = now.explanation.as_json()
    if end["reason"] is not None:
        reason = Reason(end["reason"])
        more = same_value_texts(now.explanation, language)
        return _failed(reason, end["detail"], language, now.owner, [*more, *_written_all_the_same(now)])
    sentences = tuple(_decision(each, tenant) for each in now.decisions)
    if now.outcome is Outcome.WOULD_UPDATE:
        return _differs(now, sentences, can_sync=can_sync)
    if now.outcome is Outcome.NOT_FOUND:
        why = _NOT_FOUND.get(now.not_found_reason) if now.not_found_reason is not None else None
        fix = gettext("If this person should be in Skolon, add them there: the sync adds no users.")
        text = (
            str(why)
            if why is not None
            else gettext("No user in Skolon has the values that are searched for.")
        )
        return _answer(SyncState.NOT_IN_SKOLON, (text, *sentences), Owner.SKOLON, fix)
    if now.outcome is Outcome.OUT_OF_SCOPE:
        why = _why_left_out(end["detail"], language, values=now.explanation.values)
        is_left_alone = any(each.kind is DecisionKind.IGNORE for each in now.decisions)
        fix = (
            gettext("If this person should be synced, take the decision back on the page Uncertain matches.")
            if is_left_alone
            else gettext(
                "If this person should be synced, change the rule, or the value in Entra that it looks at."
            )
        )
        owner = Owner.ENTRA if now.is_gone else Owner.ADMINISTRATOR
        return _answer(SyncState.EXCLUDED, tuple(filter(None, (why, *sentences))), owner, fix)
    kept = kept_texts(now.explanation, language)
    text = gettext("All that the sync compares is the same in Entra and Skolon.")
    if kept:
        text = gettext("The sync would change nothing now. This is left as it is, or not known:")
    return _answer(SyncState.IN_SYNC, (text, *kept, *sentences), None, gettext("Nothing needs to be done."))


def _why_left_out(reason: str | None, language: Language, *, values: bool) -> str:
    if reason is None:
        return ""
    if may_protect(reason) and not values:
        return str(
            gettext(
                "A rule of your settings or Skolon leaves this user out. Which one is shown on request: "
                "it may protect the person."
            )
        )
    return str(gettext("Left out: %(reason)s.", reason=page_detail(reason, language)))


def _written_all_the_same(now: CurrentState) -> tuple[str, ...]:
    """Say what is written of a user who fails."""
    if not now.writes:
        return ()
    text = ngettext(
        "The next run that reads this user will change %(num)d other value in Skolon all the same.",
        "The next run that reads this user will change %(num)d other values in Skolon all the same.",
        len(now.writes),
    )
    return (str(text),)


def _differs(now: CurrentState, decisions: tuple[str, ...], *, can_sync: bool) -> Answer:
    delay = () if now.delay is None else (_delay(now.delay),)
    count = sum(
        len(step.changes)
        for step in now.explanation.explained.steps[-1:]
        if isinstance(step, steps.CompareStep)
    )
    text = ngettext(
        "The next run that reads this user will change %(num)d value in Skolon.",
        "The next run that reads this user will change %(num)d values in Skolon.",
        count,
    )
    owner, fix = _next_step(now.next_run, can_sync=can_sync)
    return Answer(
        short=gettext("Differs from Entra"),
        colour="warning",
        sentences=(text, *delay, *decisions),
        owner=owner,
        fix=fix,
    )


def _next_step(next_one: NextRun | None, *, can_sync: bool) -> tuple[Owner | None, str]:
    if next_one is None or next_one.due is None:
        text = gettext("No run is planned: start one on the page Runs.")
        if can_sync:
            text = gettext("No run is planned: press Sync now, or start a run of all users on the page Runs.")
        return Owner.ADMINISTRATOR, text
    if next_one.blocked_by is not None:
        return Owner.ADMINISTRATOR, gettext(
            "Run %(run)s is halted: it has to be answered first.", run=next_one.blocked_by.id
        )
    when = gettext("It goes on by itself: the next run is due %(time)s.", time=moment(next_one.due.at))
    if next_one.mode is Mode.DELTA and next_one.full_due is not None:
        full = gettext(
            "That one reads users that changed in Entra; all users are read %(time)s.",
            time=moment(next_one.full_due.at),
        )
        when = f"{when} {full}"
    return None, when


def _recorded_answer(view: UserView, language: Language) -> Answer:
    recorded, now = view.recorded, view.now
    sentences: tuple[str, ...] = ()
    if now is None:
        sentences = (gettext("Entra and Skolon were not asked: this is what the runs recorded."),)
    elif now.explanation.as_json()["cause"] is not None:
        cause = advice_on(Cause(now.explanation.as_json()["cause"]), language)
        first = gettext("Entra or Skolon refused to answer: below is what the runs recorded.")
        return Answer(
            short=gettext("Not known now"),
            colour="warning",
            sentences=(first, str(cause.what_happened)),
            owner=cause.owner,
            fix=str(cause.what_to_do),
        )
    else:
        end = now.explanation.explained.end
        away = SERVICES[end.dependency] if isinstance(end, TransientError) and end.dependency else None
        first = gettext("Entra or Skolon does not answer just now: below is what the runs recorded.")
        if away is not None:
            first = gettext(
                "%(service)s does not answer just now, so the values and steps are missing: below is what "
                "the runs recorded.",
                service=away,
            )
        sentences = (first,)
    latest = recorded.standing.latest
    if latest is not None and latest.reason is not None:
        failed = _failed(latest.reason, latest.detail, language, recorded.owner)
        return Answer(
            short=failed.short,
            colour=failed.colour,
            sentences=(*sentences, *failed.sentences),
            owner=failed.owner,
            fix=failed.fix,
        )
    fix = gettext("Look again in a few minutes.")
    return _answer(recorded.standing.state, sentences, None, fix)


def _failed(
    reason: Reason, detail: str | None, language: Language, owner: Owner | None, more: Sequence[str] = ()
) -> Answer:
    advice = advice_on(reason, language, owner=owner)
    sentences = tuple(filter(None, (str(advice.what_happened), advice.detail_text(detail), *more)))
    return _answer(SyncState.DEAD_LETTERED, sentences, advice.owner, str(advice.to_do_for_one))


def _answer(state: SyncState, sentences: tuple[str, ...], owner: Owner | None, fix: str) -> Answer:
    short, colour = STATES[state]
    return Answer(short=str(short), colour=colour, sentences=sentences, owner=owner, fix=fix)


def _delay(delay: Delay) -> str:
    text = str(_DELAYS[delay.reason])
    return text % {"run": delay.run} if delay.run is not None else text.replace("%(run)s", "?")


def _decision(decision: MatchDecision, tenant: str) -> str:
    when, who = moment(decision.decided_at), operator_text(decision.operator, tenant)
    if decision.kind is DecisionKind.LINK:
        return str(
            gettext(
                "%(who)s decided on %(time)s that this is user %(skolon)s in Skolon.",
                who=who,
                time=when,
                skolon=decision.skolon_id,
            )
        )
    if decision.entra_id is not None:
        return str(gettext("%(who)s decided on %(time)s that this user is left alone.", who=who, time=when))
    return str(
        gettext(
            "%(who)s decided on %(time)s that user %(skolon)s in Skolon is left alone.",
            who=who,
            time=when,
            skolon=decision.skolon_id,
        )
    )
