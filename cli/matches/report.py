"""Prints what waits for a decision about a match, and both sides of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cli.matches.failed_undos import print_failed_undos, print_ways_out
from cli.matches.warnings import speaks_for, traits_text
from cli.output import echo, localized, localized_texts, print_fields, print_table
from cli.users.report import NOT_FOUND_TEXTS
from schemas.details.detail import Detail, texts_from, texts_of
from schemas.details.kinds import DetailKind
from schemas.details.template import Template
from schemas.reports.pending_match import MATCH_REASONS
from schemas.reports.remedies import remedy_for
from schemas.reports.remedy import Language
from schemas.timestamps import timestamp
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from administration.matches.overview import MatchOverview
    from schemas.reports.pending_match import PendingMatch

#: Why a user is not found, where a comparison may have Skolon users nevertheless.
_NOT_FOUND: Final = {str(reason): text for reason, text in NOT_FOUND_TEXTS.items()}

#: What another Entra user does that claims the Skolon user: whether it is kept for it, and whether it is one
#: of another tenant.
_CLAIMS: Final[Mapping[tuple[bool, bool], Template]] = {
    (True, False): Template(
        "Skolon-användaren behålls för Entra-användaren {user}",
        "the Skolon user is kept for Entra user {user}",
    ),
    (True, True): Template(
        "Skolon-användaren behålls för Entra-användaren {user} i kommunen {tenant}",
        "the Skolon user is kept for Entra user {user} of tenant {tenant}",
    ),
    (False, False): Template(
        "Entra-användaren {user} väntar också på ett avgörande",
        "Entra user {user} waits for a decision too",
    ),
    (False, True): Template(
        "Entra-användaren {user} i kommunen {tenant} väntar också på ett avgörande",
        "Entra user {user} of tenant {tenant} waits for a decision too",
    ),
}

_HONOURED: Final = Detail(DetailKind.DECISION_HONOURED)


def print_overview(overview: MatchOverview) -> None:
    """Print the matches that wait for a decision, how to settle them, failed undos, and the decisions."""
    count, waiting = overview.count, overview.waiting
    what = "1 match" if count == 1 else f"{count} matches"
    echo(f"{what} of {overview.tenant} {'waits' if count == 1 else 'wait'} for a decision.")
    if waiting:
        _print_pending((match, match.detail or "") for match in waiting)
        for reason in sorted({match.reason for match in waiting}):
            for language in Language:
                echo(f"{reason} ({language}): {remedy_for(reason).texts[language].fix}")
    if count > len(waiting):
        echo(f"… and {count - len(waiting)} more; --limit shows them.")
    if overview.decided:
        echo("", "Decided, and not synced since:")
        _print_pending((match, _HONOURED) for match in overview.decided)
    print_failed_undos(overview.failed_undos, overview.tenant)
    count = len(overview.decisions)
    echo("", f"{count} decision{'' if count == 1 else 's'}.")
    if overview.decisions:
        decisions = [
            (each.kind, each.entra_id, each.skolon_id, each.operator, timestamp(each.decided_at))
            for each in overview.decisions
        ]
        print_table(("decision", "user", "skolon user", "operator", "decided"), decisions)


def _print_pending(found: Iterable[tuple[PendingMatch, str]]) -> None:
    """Print matches, each with what is said of it."""
    details = (f"detail ({language})" for language in Language)
    print_table(
        ("user", "skolon users", "reason", "since", *details),
        [
            (
                match.entra_id,
                ", ".join(match.skolon_ids),
                match.reason,
                timestamp(match.since),
                *texts_of(detail).values(),
            )
            for match, detail in found
        ],
    )


def print_comparison(found: dict[str, Any], *, values: bool) -> None:
    """Print an Entra user beside each Skolon user that may be this user, and how to decide.

    `values` says that the values are shown as they are.
    """
    fields = {
        "user": found["user"],
        "outcome": found["outcome"] or "unknown",
        "not found because": _NOT_FOUND.get(found["not_found_reason"]),
        **{name: found[name] for name in ("reason", "cause") if found[name] is not None},
        **localized("away", found["away"]),
        **localized("detail", found["detail"]),
        "decision": _decision(found["decision"], found["tenant"]),
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    if found["pending"] is not None:
        pending = found["pending"]
        fields["waits since"] = f"{pending['since']}: {pending['reason']} in run {pending['run']}"
    if found["failed_undo"] is not None and found["failed_undo"]["detail"] is not None:
        fields |= localized("in the way", found["failed_undo"]["detail"])
    print_fields(fields)
    for each in found["skolon_users"]:
        echo()
        _print_candidate(each, found["tenant"])
    if not found["skolon_users"]:
        unasked = found["away"] is not None or found["cause"] is not None
        echo("", "Which Skolon users match is not known." if unasked else "No Skolon user was found.")
    if found["skolon_users_differ_in"]:
        titles = ", ".join(map(_title, found["skolon_users_differ_in"]))
        echo("", f"The {len(found['skolon_users'])} Skolon users differ in: {titles}.")
    echo()
    if found["skolon_users"] and not values:
        echo("Values are masked. --values shows them.")
    failed = found["failed_undo"]
    if failed is not None:
        print_ways_out(
            found["tenant"],
            user=failed["user"],
            skolon_id=failed["skolon_user"] or "SKOLON_USER",
            run=failed["run"],
        )
    elif found["reason"] in MATCH_REASONS and found["skolon_users"]:
        tenant, user = found["tenant"], found["user"]
        ids = [each["skolon_user"] for each in found["skolon_users"]]
        echo(
            "To decide:",
            *(
                f"  update-sync matches link {tenant} {user} {each}    the two are the same person"
                for each in ids
            ),
            *(
                f"  update-sync matches ignore {tenant} --skolon-user {each}    no user of Entra is that one"
                for each in ids
            ),
            f"  update-sync matches ignore {tenant} --user {user}    leaves this user of Entra alone",
        )


def _print_candidate(found: dict[str, Any], tenant_key: str) -> None:
    rows, claimants = found["attributes"], found["claimants"]
    equal = sum(row["agrees"] for row in rows)
    fields = {
        "skolon user": found["skolon_user"],
        "found by": ", ".join(_title(key) for key in found["found_by"]) or "a link, or an undo that failed",
        "created": found["created"] or "Skolon does not say",
        "last changed": found["last_modified"] or "Skolon does not say",
        "speaks for": speaks_for(found["agrees"], found["equal_keys"]),
        "speaks against": traits_text(found["differs"]) or "nothing",
        "evidence": _evidence(found),
        "attributes": f"{equal} equal, {len(rows) - equal} differ",
        "decision": _decision(found["decision"], tenant_key),
    }
    for number, claimant in enumerate(claimants, 1):
        elsewhere = claimant["tenant"] is not None
        said = _CLAIMS[claimant["keeps"], elsewhere]
        texts = texts_from(said, user=claimant["user"], tenant=claimant["tenant"] or "")
        fields |= localized_texts(f"claimant {number}", texts)
    print_fields(fields)
    beside = [{row["attribute"]: row["entra"] for row in each["attributes"]} for each in claimants]
    print_table(
        (
            "attribute",
            "entra",
            "skolon",
            "equal",
            *(f"claimant {number + 1}" for number in range(len(beside))),
        ),
        [
            (
                _title(row["attribute"]),
                row["entra"],
                row["skolon"],
                "yes" if row["agrees"] else "no",
                *(values.get(row["attribute"]) for values in beside),
            )
            for row in rows
        ],
    )


def _evidence(found: dict[str, Any]) -> str:
    """Return whether the two are one person, by names, birth date and personal number alone."""
    said = "enough for the same person" if found["is_proven"] else "perhaps another person"
    keeper = next((each for each in found["claimants"] if each["keeps"]), None)
    return f"{said}, but kept for Entra user {keeper['user']}" if keeper and found["is_proven"] else said


def _title(attribute: str) -> str:
    return ATTRIBUTE_TABLE[Attribute(attribute)].title


def _decision(decision: dict[str, Any] | None, tenant: str) -> str:
    if decision is None:
        return "none"
    option = f"--user {decision['user']}" if decision["user"] else f"--skolon-user {decision['skolon_user']}"
    return (
        f"{decision['decision']} by {decision['operator'] or 'an unknown operator'}, {decision['decided']}. "
        f"To take it back: update-sync matches forget {tenant} {option}"
    )
