"""The list of members, and the page of one: invited, changed, signed out and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, g, redirect, render_template, request, url_for

from administration.hub import member_management
from administration.hub.member_management import MemberFault, managed_member, managed_members, state_of
from administration.hub.members import MAX_NAME, Invitation
from hub.pages.members.forms import (
    DONE_TEXTS,
    FAULTS,
    ROLE_TEXTS,
    Choice,
    Done,
    roles,
    sent_choice,
    tenant_names,
)
from hub.services import hub_services
from schemas.hub.member import Role
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

    from schemas.hub.member import Member

blueprint = Blueprint("members", __name__, url_prefix="/members")


@blueprint.get("/")
def overview() -> str:
    """Show the members that the member manages, and a form for a new one."""
    return _list()


@blueprint.post("/")
def add() -> str | tuple[str, int]:
    """Add a member, and show the link that signs the new member in, this once."""
    choice, name = sent_choice(), request.form.get("name", "")
    result = member_management.add_member(
        g.member, name, choice.role, choice.tenants, store=hub_services().store
    )
    if isinstance(result, MemberFault):
        return _list(choice=choice, name=one_line(name)[:MAX_NAME], fault=result), 422
    return _list(invitation=result)


@blueprint.get("/<member>")
def show(member: str) -> str:
    """Show one member, and what can be done."""
    return _page(_managed(member))


@blueprint.post("/<member>")
def change(member: str) -> str | tuple[str, int] | Response:
    """Give a member another role and other organisations."""
    found, choice = _managed(member), sent_choice()
    seen = request.form.get("seen", "")
    fault = member_management.change_member(
        g.member, found, seen, choice.role, choice.tenants, store=hub_services().store
    )
    if fault is MemberFault.CHANGED:
        return _page(found, fault=fault), 412
    if fault is not None:
        return _page(found, choice=choice, fault=fault), 422
    return redirect(url_for("members.show", member=found.id, done=Done.CHANGED), 303)


@blueprint.post("/<member>/link")
def link(member: str) -> str | tuple[str, int]:
    """Make a new link for a member, and show it, this once."""
    found = _managed(member)
    result = member_management.invite_again(g.member, found, store=hub_services().store)
    if isinstance(result, MemberFault):
        return _page(found, fault=result), 422
    return _page(found, invitation=result)


@blueprint.post("/<member>/end-sessions")
def sign_out(member: str) -> Response:
    """Sign a member out of all browsers."""
    found = _managed(member)
    member_management.end_sessions(g.member, found, store=hub_services().store)
    return redirect(url_for("members.show", member=found.id, done=Done.SIGNED_OUT), 303)


@blueprint.post("/<member>/remove")
def remove(member: str) -> tuple[str, int] | Response:
    """Remove a member, once the box is ticked that says so."""
    if hub_services().store.hub_members.find(_number(member)) is None:
        # As after a double click: it has been done.
        return redirect(url_for("members.overview", done=Done.REMOVED), 303)
    found = _managed(member)
    if request.form.get("sure") != "yes":
        return _page(found, is_unsure=True), 422
    fault = member_management.remove(g.member, found, store=hub_services().store)
    if fault is not None:
        return _page(found, fault=fault), 422
    return redirect(url_for("members.overview", done=Done.REMOVED), 303)


def _managed(member: str) -> Member:
    """Return a member of an address; there is no such page for a member that is not managed."""
    found = managed_member(g.member, _number(member), store=hub_services().store)
    return found or abort(404)


def _number(member: str) -> int:
    return int(member) if member.isascii() and member.isdigit() and len(member) < 10 else 0  # noqa: PLR2004 - an id


def _done() -> LazyString | str:
    """Return what was done just now, by the address that it led to."""
    return DONE_TEXTS.get(request.args.get("done", ""), "")


def _list(
    *,
    choice: Choice | None = None,
    name: str = "",
    fault: MemberFault | None = None,
    invitation: Invitation | None = None,
) -> str:
    tenants = tenant_names()
    only = tuple(tenants) if len(tenants) == 1 else ()
    return render_template(
        "members.html",
        done=_done(),
        members=managed_members(g.member, store=hub_services().store),
        choice=choice or Choice(role=Role.READER, tenants=only),
        name=name,
        longest=MAX_NAME,
        fault=FAULTS[fault] if fault else "",
        fault_of_name=fault in (MemberFault.NAME, MemberFault.TAKEN),
        link=_link(invitation),
        invitation=invitation,
        tenants=tenants,
        roles=roles(),
        role_texts=ROLE_TEXTS,
    )


def _page(
    member: Member,
    *,
    choice: Choice | None = None,
    fault: MemberFault | None = None,
    invitation: Invitation | None = None,
    is_unsure: bool = False,
) -> str:
    return render_template(
        "member.html",
        done=_done(),
        other=member,
        seen=state_of(member),
        choice=choice or Choice(role=member.role, tenants=member.tenants),
        fault=FAULTS[fault] if fault else "",
        link=_link(invitation),
        invitation=invitation,
        is_unsure=is_unsure,
        tenants=tenant_names(),
        roles=roles(),
        role_texts=ROLE_TEXTS,
    )


def _link(invitation: Invitation | None) -> str:
    if invitation is None:
        return ""
    return invitation.link(hub_services().address or request.host_url.rstrip("/"))
