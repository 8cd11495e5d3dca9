"""The matches that wait for a decision, and both sides of one; values are masked until they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, g, render_template

from administration.matches.comparison import compare_match
from administration.matches.decisions import MatchDecider
from administration.matches.overview import matches_of
from administration.users.status import user_report
from administration.users.view import reveal
from hub.actions.acting import may_act
from hub.addresses import requested_page, tenant_of
from hub.language import current_language
from hub.presentation.actions import matches as match_texts
from hub.presentation.actions.refusals import REFUSALS
from hub.presentation.advice import advice_on
from hub.presentation.details import page_detail
from hub.presentation.users.answers import HINTS
from hub.services import hub_services
from schemas.dead_letter_reasons import Reason
from schemas.fields import is_object_id
from schemas.outcomes import Outcome
from schemas.reports.pending_match import MATCH_REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask_babel.speaklater import LazyString

    from administration.matches.comparison import MatchComparison
    from administration.matches.overview import MatchOverview
    from schemas.reports.pending_match import PendingMatch

blueprint = Blueprint("matches", __name__, url_prefix="/tenants/<tenant>/matches")

#: Matches that are read: more users than a municipality has.
_ALL: Final = 10_000_000

#: Users in Skolon of one match of which it is asked whether they can be linked.
_MAX_CHECKED: Final = 5

#: Of matches that wait for the next run only, so many are named.
_MAX_DECIDED: Final = 50


@blueprint.get("/")
def overview(tenant: str) -> str:
    """Show the matches that wait for a person, page by page, and the decisions."""
    found = tenant_of(tenant)
    matches = matches_of(tenant, store=hub_services().store, limit=_ALL)
    return render_template(
        "matches/overview.html",
        tenant=found,
        page=requested_page(_reader(matches)),
        count=matches.count,
        decided=matches.decided[:_MAX_DECIDED],
        failed_undos=matches.failed_undos,
        decisions=matches.decisions,
        detail=_detail,
        decides=g.member.administers(tenant),
    )


@blueprint.get("/<user>")
def show(tenant: str, user: str) -> str:
    """Show a user beside the users in Skolon that may be this user, with values masked."""
    return _page(tenant, user, values=False)


@blueprint.post("/<user>")
def show_values(tenant: str, user: str) -> str:
    """Show both sides with values; that the member looked at these users is recorded."""
    return _page(tenant, user, values=True)


def _reader(matches: MatchOverview) -> Any:
    def read(*, after: str, limit: int) -> Sequence[PendingMatch]:
        return [each for each in matches.waiting if each.entra_id > after][:limit]

    return read


def _page(tenant: str, user: str, *, values: bool) -> str:
    found, services = tenant_of(tenant), hub_services()
    if not is_object_id(user):
        abort(404)
    user = user.lower()
    if services.gateways is None:
        if not user_report(tenant, user, store=services.store, limit=1).history:
            abort(404)
        return render_template("matches/not_connected.html", tenant=found, user=user)
    compared = compare_match(user, tenant, values=values, store=services.store, gateways=services.gateways)
    if _is_unknown(compared) and not user_report(tenant, user, store=services.store, limit=1).history:
        abort(404)
    if values:
        claimants = [each for candidate in compared.candidates for each in candidate.claimants if each.mapped]
        reveal(tenant, [user, *(each.user for each in claimants)], g.member, store=services.store)
    told = compared.as_json()
    language = current_language()
    reason = told["reason"]
    why, why_detail = _why(compared, told)
    is_question = reason in MATCH_REASONS or compared.failed_undo is not None
    return render_template(
        "matches/match.html",
        tenant=found,
        told=told,
        user=user,
        values=values,
        why=why,
        why_detail=why_detail,
        decision=compared.decisions.by_entra_id.get(user),
        decisions={
            each.user.id: compared.decisions.by_skolon_id[each.user.id]
            for each in compared.candidates
            if each.user.id in compared.decisions.by_skolon_id
        },
        pending=compared.pending,
        failed=compared.failed_undo,
        failed_detail=_detail(compared.failed_undo.detail) if compared.failed_undo else "",
        is_question=is_question,
        is_away=told["away"] is not None or told["cause"] is not None,
        is_found=told["outcome"] in (Outcome.WOULD_UPDATE, Outcome.UNCHANGED),
        may_act=may_act(tenant),
        refused_links=_refused_links(compared) if is_question and may_act(tenant) else {},
        traits=lambda traits: match_texts.traits_text(traits, language),
        attributes=lambda names: match_texts.attributes_text(names, language),
        hints=HINTS,
    )


def _refused_links(compared: MatchComparison) -> dict[str, LazyString]:
    """Return why the user cannot be linked to which users in Skolon: such a link is not offered."""
    services = hub_services()
    if services.gateways is None:
        return {}
    decider = MatchDecider(tenant=compared.tenant, operator=None, store=services.store)
    return {
        each.user.id: REFUSALS[why]
        for each in compared.candidates[:_MAX_CHECKED]
        if (why := decider.link_refusal(compared.explanation.user, each.user.id, services.gateways))
    }


def _is_unknown(compared: MatchComparison) -> bool:
    """Say whether nothing but an address of this tenant names the user."""
    own = compared.decisions.by_entra_id.get(compared.explanation.user.lower())
    return not (compared.mapped or compared.pending or own or compared.failed_undo)


def _why(compared: MatchComparison, told: dict[str, Any]) -> tuple[str, str]:
    """Return why it waits, and the detail: as things stand now, or else as the last run left it."""
    language = current_language()
    reason, detail = told["reason"], told["detail"]
    if reason is None and compared.pending is not None:
        reason, detail = compared.pending.reason, compared.pending.detail
    if reason is None:
        return "", ""
    advice = advice_on(Reason(reason), language)
    return str(advice.what_happened), advice.detail_text(detail)


def _detail(detail: str | None) -> str:
    return page_detail(detail, current_language()) if detail else ""
