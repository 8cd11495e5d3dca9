"""The audit: sign-ins, invitations, shown values, and decisions about users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, abort, g, render_template, request
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from administration.hub.audit import read_audit
from hub.addresses import tenant_of
from hub.language import current_language
from hub.presentation import words
from hub.services import hub_services
from schemas.details.names import ATTRIBUTE_NAMES
from schemas.hub.member import Role
from schemas.hub.session import AuditKind
from schemas.tenants.match_decision import DecisionKind
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flask_babel.speaklater import LazyString

    from schemas.hub.audit import AuditEntry

blueprint = Blueprint("audit", __name__)

_EVENTS: Final[Mapping[AuditKind, LazyString]] = {
    AuditKind.INVITED: _("Was invited"),
    AuditKind.SIGNED_IN: _("Signed in by a link"),
    AuditKind.SIGNED_IN_BY_ENTRA: _("Signed in by Microsoft Entra"),
    AuditKind.SIGN_IN_REFUSED: _("A sign-in was refused"),
    AuditKind.SIGNED_OUT: _("Signed out"),
    AuditKind.SIGNED_OUT_EVERYWHERE: _("Signed out everywhere"),
    AuditKind.REMOVED: _("Was removed"),
    AuditKind.LINK_MADE: _("Was given a new link"),
    AuditKind.MEMBER_CHANGED: _("Was given another role or other organisations"),
    AuditKind.SESSIONS_ENDED: _("Was signed out everywhere"),
    AuditKind.VALUES_REVEALED: _("Was shown a user's values"),
    AuditKind.SCOPE_REVEALED: _("Was shown why a user is left out"),
    AuditKind.NAMES_REVEALED: _("Was shown the names of a group of users that fail"),
    AuditKind.TOKEN_MADE: _("Made a token for programs"),
    AuditKind.TOKEN_ENDED: _("Ended a token for programs"),
    AuditKind.RUN_REQUESTED: _("Started a run"),
    AuditKind.PREVIEW_REQUESTED: _("Started a preview"),
    AuditKind.USER_SYNC_REQUESTED: _("Had a user synced now"),
    AuditKind.RUN_CANCELLED: _("Cancelled a run"),
    AuditKind.RUN_RESUMED: _("Let a halted run go on"),
    AuditKind.MATCH_LINKED: _("Decided that a user in Entra and one in Skolon are the same person"),
    AuditKind.USER_IGNORED: _("Decided that a user is left alone"),
    AuditKind.DECISION_FORGOTTEN: _("Took a decision about a user back"),
    AuditKind.SCHEDULE_CHANGED: _("Changed the schedule"),
    AuditKind.SCHEDULE_PAUSED: _("Paused the schedule"),
    AuditKind.SCHEDULE_RESUMED: _("Ended a pause of the schedule"),
    AuditKind.GUARD_OVERRIDDEN: _("Answered a halted run: it is right, and goes on"),
    AuditKind.RUN_UNDONE: _("Undid a run"),
    AuditKind.UNDO_PREVIEWED: _("Started a preview of an undo"),
    AuditKind.USERS_TRIED: _("Had it tried what would happen to users that fail"),
    AuditKind.USERS_REPLAYED: _("Had users that fail tried again"),
    AuditKind.USERS_SET_ASIDE: _("Set users that fail aside"),
    AuditKind.GROUP_SET_ASIDE: _("Set a group aside until a day"),
    AuditKind.GROUP_HAD_BACK: _("Had a group back that was set aside"),
    AuditKind.TASK_PAUSED: _("Paused the work on users that fail"),
    AuditKind.TASK_RESUMED: _("Let the work on users that fail go on"),
    AuditKind.TASK_CANCELLED: _("Cancelled the work on users that fail"),
    AuditKind.TENANT_ADDED: _("Added the organisation"),
    AuditKind.APP_CHANGED: _("Entered the directory and the app in Entra"),
    AuditKind.SECRET_SET: _("Entered a client secret, its date, or a certificate"),
    AuditKind.SYNC_SWITCHED_ON: _("Switched the sync on"),
    AuditKind.SYNC_SWITCHED_OFF: _("Switched the sync off"),
    AuditKind.DRAFT_MADE: _("Made a draft of the mapping"),
    AuditKind.DRAFT_CHANGED: _("Changed a draft of the mapping"),
    AuditKind.DRAFT_DISCARDED: _("Discarded a draft of the mapping"),
    AuditKind.DRAFT_APPROVED: _("Approved a draft of the mapping"),
    AuditKind.APPROVALS_CHANGED: _("Changed which attributes need a second person"),
    AuditKind.MAPPING_ACTIVATED: _("Made a draft the active mapping"),
    AuditKind.MAPPING_RESTORED: _("Made a former mapping active again"),
    AuditKind.NOTIFICATIONS_CHANGED: _("Changed the notifications"),
    AuditKind.NOTIFICATION_TESTED: _("Sent a test of the notifications"),
    AuditKind.WEBHOOK_SECRET_MADE: _("Made a secret for webhooks"),
}

_DECISIONS: Final[Mapping[DecisionKind, LazyString]] = {
    DecisionKind.LINK: _("This user in Entra is this user in Skolon"),
    DecisionKind.IGNORE: _("This user is left alone"),
}

#: What a member does to another one, or else a command.
_TO_MEMBERS: Final = frozenset({AuditKind.INVITED, AuditKind.REMOVED})

#: The largest number that the database has for an entry.
_MOST: Final = 2**31 - 1


@blueprint.get("/tenants/<tenant>/audit")
def of_tenant(tenant: str) -> str:
    """Show what happened about a tenant, and the decisions that are in force."""
    found, store = tenant_of(tenant), hub_services().store
    return render_template(
        "audit_tenant.html",
        tenant=found,
        audit=read_audit(found.key, before=_before(), store=store),
        is_first=_before() is None,
        events=_EVENTS,
        facts_of=_facts_of,
        decisions=store.match_decisions.list(found.key),
        decision_texts=_DECISIONS,
    )


@blueprint.get("/audit")
def of_all() -> str:
    """Show what happened about all tenants."""
    audit = read_audit(None, before=_before(), store=hub_services().store)
    return render_template(
        "audit.html", audit=audit, is_first=_before() is None, events=_EVENTS, facts_of=_facts_of
    )


def _facts_of(entry: AuditEntry) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of an entry about a member, each with its label."""
    if entry.by is None and entry.kind in _TO_MEMBERS:
        yield gettext("By"), gettext("Skolon's operators, by a command")
    yield from _mapping_facts(entry.mapping or {})
    membership = entry.membership
    if membership is None:
        return
    role, former_role = membership.role, membership.former_role
    text = str(words.ROLES[role])
    yield gettext("Role"), text if former_role in {None, role} else f"{words.ROLES[former_role]} → {text}"
    former = _organisations(former_role, membership.former_tenants)
    now = _organisations(role, membership.tenants)
    yield gettext("Organisations"), now if former in {"", now} else f"{former} → {now}"


def _mapping_facts(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the draft, the attributes, and which of them needed a second person before and after."""

    def names(attributes: Sequence[str]) -> str:
        texts = ATTRIBUTE_NAMES[current_language()]
        return ", ".join(texts[Attribute(each)] for each in attributes) or gettext("none")

    if "draft" in about:
        yield gettext("Draft"), str(about["draft"])
    if about.get("attributes"):
        yield gettext("Attributes"), names(about["attributes"])
    if "before" in about:
        yield gettext("Need a second person"), f"{names(about['before'])} → {names(about['after'])}"


def _organisations(role: Role | None, tenants: Sequence[str]) -> str:
    """Return the organisations of a member by their keys; those that the reader does not see are counted."""
    if role is Role.OPERATOR:
        return str(gettext("all"))
    seen = [tenant for tenant in tenants if g.member.sees(tenant)]
    others = len(tenants) - len(seen)
    more = str(ngettext("%(num)d other", "%(num)d others", others))
    return ", ".join([*seen, more] if others else seen)


def _before() -> int | None:
    text = request.args.get("before")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_MOST)) or int(text) > _MOST:
        abort(404)
    return int(text)
