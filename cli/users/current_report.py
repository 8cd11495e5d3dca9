"""Prints both sides of a user as they are now, what a run would do, and what the runs recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from administration.users.current import DelayReason
from cli.durations import format_age
from cli.matches.failed_undos import undo_again
from cli.output import echo, localized, localized_texts, print_fields, print_table
from cli.users.report import decision_text, print_user
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import texts_from
from schemas.details.template import Template
from schemas.outcomes import Cause, Mode, NotFoundReason, Outcome
from schemas.reports.pending_match import MATCH_REASONS
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.timestamps import timestamp
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from administration.tenants.next_run import NextRun
    from administration.users.current import CurrentReport, CurrentState, Delay

_OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.UNCHANGED: "Skolon is right in what the sync compares: a run would change nothing",
    Outcome.NOT_FOUND: "Skolon has no such user: a run would do nothing; the sync creates none",
    Outcome.OUT_OF_SCOPE: "excluded, or not in Entra: a run would do nothing",
    Outcome.DEAD_LETTERED: "a run would fail",
}

_NOT_FOUND: Final[Mapping[NotFoundReason, str]] = {
    NotFoundReason.NO_MATCH_KEY: "no match key has a value in Entra: a run would do nothing",
    NotFoundReason.NO_LONGER_IN_SKOLON: "Skolon no longer has the linked user: a run would do nothing",
    NotFoundReason.EXCLUDED_BY_DECISION: "a decision excludes the Skolon users that match: a run would "
    "do nothing",
}

_DELAYS: Final[Mapping[DelayReason, Template]] = {
    DelayReason.TENANT_DISABLED: Template("kommunen är avstängd", "the tenant is disabled"),
    DelayReason.PENDING_RUN: Template(
        "körning {run} har inte kommit till användaren än: update-sync runs show {run}",
        "run {run} has not come to this user yet: update-sync runs show {run}",
    ),
    DelayReason.NEVER_PROCESSED: Template(
        "ingen körning har tagit hand om användaren", "no run has processed this user"
    ),
    DelayReason.FAILED: Template(
        "körning {run} misslyckades för användaren {time}; nu skulle det lyckas",
        "run {run} failed for this user {time}; now it would succeed",
    ),
    DelayReason.REVERTED: Template(
        "körning {run} var en ångring och återställde de tidigare värdena {time}",
        "run {run} was an undo, which restored the former values {time}",
    ),
    DelayReason.LEFT_OUT: Template(
        "körning {run} utelämnade användaren {time}; orsaken står nedan",
        "run {run} left this user out {time}; the reason is below",
    ),
    DelayReason.CHANGED_SINCE: Template(
        "Entra, Skolon eller inställningarna har ändrats efter körning {run} ({time})",
        "Entra, Skolon or the settings have changed since run {run} ({time})",
    ),
}
_AGO: Final = Template("för {age} sedan", "{age} ago")
_SOME_TIME_AGO: Final = Template("för en tid sedan", "some time ago")


def print_current(report: CurrentReport, tenant: str, *, now: dt.datetime) -> None:
    """Print a user: both sides now, and what the runs recorded."""
    state = report.now
    shown = state.as_json()
    print_fields(_fields(report, shown, tenant, now))
    if shown["differences"]:
        echo()
        _print_differences(shown["differences"])
    for each in shown["candidates"]:
        echo("", f"Skolon user {each['skolon_user']}, to which nothing would be written, differs in:")
        _print_differences(each["differences"])
    if shown["kept"]:
        kept = ", ".join(map(_title, shown["kept"]))
        echo(f"Without a value in Entra; Skolon's is kept, whatever it is: {kept}")
    if shown["not_compared"]:
        echo(f"Not compared, as the sync does not set them: {', '.join(map(_title, shown['not_compared']))}")
    echo("", "What the runs recorded:")
    said = (Reason(shown["reason"]), shown["detail"], state.owner) if shown["reason"] else None
    is_right = state.outcome is Outcome.UNCHANGED
    print_user(report.recorded, tenant, now=now, explained=said, is_right_now=is_right)


def _fields(report: CurrentReport, shown: dict[str, Any], tenant: str, now: dt.datetime) -> dict[str, object]:
    state = report.now
    fields: dict[str, object] = {"user": report.recorded.user, "now": _now(state, shown)}
    if shown["reason"] is not None or shown["cause"] is not None:
        reason = Reason(shown["reason"]) if shown["reason"] else Cause(shown["cause"])
        explained = remedy_for(reason, owner=state.owner)
        owner = state.owner or explained.owner
        fields |= {"reason": reason, **localized("detail", shown["detail"]), "owner": owner}
        for language in Language:
            text = explained.texts[language]
            fields[f"what ({language})"] = text.what_happened
            fields[f"fix ({language})"] = text.fix
        if reason is Reason.UNDO_FAILED:
            fields |= undo_again(shown["detail"], tenant, report.recorded.user)
        elif reason in MATCH_REASONS:
            fields["compare"] = f"update-sync matches show {tenant} {report.recorded.user}"
    elif shown["away"] is not None:
        fields |= localized("away", shown["away"])
    elif shown["detail"] is not None:
        fields |= localized("detail", shown["detail"])
    for number, decision in enumerate(state.decisions, 1):
        fields["decision" if number == 1 else f"decision {number}"] = decision_text(decision, tenant)
    if state.delay is not None:
        fields |= localized_texts("not done because", _delay(state.delay, now))
    if shown["differences"]:
        fields["next run"] = _next_run(state.next_run, tenant, state.halted_run)
    return fields


def _now(state: CurrentState, shown: dict[str, Any]) -> str:
    if shown["away"] is not None:
        return "unknown: Entra or Skolon could not be asked"
    if shown["cause"] is not None:
        return f"unknown: a run would halt ({shown['cause']})"
    if state.not_found_reason is not None and state.not_found_reason in _NOT_FOUND:
        return _NOT_FOUND[state.not_found_reason]
    if state.outcome is Outcome.OUT_OF_SCOPE and state.decisions:
        return "left alone by a decision: a run would do nothing"
    if state.outcome is Outcome.WOULD_UPDATE:
        count = len(shown["differences"])
        attributes = "1 attribute" if count == 1 else f"{count} attributes"
        return f"differs: a run that reads this user would change {attributes}"
    said = "unknown" if state.outcome is None else _OUTCOMES.get(state.outcome, str(state.outcome))
    return f"{said}{_written_all_the_same(state)}"


def _written_all_the_same(state: CurrentState) -> str:
    if state.outcome is not Outcome.DEAD_LETTERED or not state.writes:
        return ""
    count = len(state.writes)
    return f", and change {'1 other attribute' if count == 1 else f'{count} other attributes'} all the same"


def _next_run(next_one: NextRun | None, tenant: str, halted_run: int | None) -> str:
    """Return when the next run is due, and whether it reads the user: a delta may not."""
    if halted_run is not None:
        return f"none before halted run {halted_run} is answered: update-sync runs show {halted_run}"
    if next_one is None or next_one.due is None:
        return f"not scheduled: update-sync trigger {tenant} starts one"
    text = f"{timestamp(next_one.due.at)}, {next_one.mode}"
    if next_one.mode is Mode.DELTA:
        text += ", which reads this user only if Entra has changed, or the last runs failed here"
        if next_one.full_due is not None:
            text += f"; the next full run is due {timestamp(next_one.full_due.at)}"
    if next_one.blocked_by is not None:
        text += f"; but first run {next_one.blocked_by.id} has to be resumed or cancelled"
    return text


def _delay(delay: Delay, now: dt.datetime) -> dict[Language, str]:
    age = format_age(delay.at, now)
    times = texts_from(_AGO, age=age) if age else texts_from(_SOME_TIME_AGO)
    return {
        language: texts_from(_DELAYS[delay.reason], run=delay.run or 0, time=times[language])[language]
        for language in Language
    }


def _print_differences(differences: list[dict[str, Any]]) -> None:
    rows = [
        (
            _title(each["attribute"]),
            "blank" if each["entra"] is None else each["entra"],
            each["rule"],
            "blank" if each["skolon"] is None else each["skolon"],
            ", ".join(
                word for word in (each["kind"], "identity" if each["identity"] else "", each["hint"]) if word
            ),
        )
        for each in differences
    ]
    print_table(("attribute", "Entra", "rule", "Skolon", "change"), rows)


def _title(attribute: str) -> str:
    return ATTRIBUTE_TABLE[Attribute(attribute)].title
