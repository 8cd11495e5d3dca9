"""Which role may ask for which page: one table, held for every request."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from flask import abort, g, redirect, request, url_for

from administration.hub.api_tokens import token_of
from hub.api.access import API_ROUTES
from hub.services import hub_services
from schemas.hub.access import Access
from schemas.hub.member import Role
from schemas.safe_text import is_storable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from werkzeug.wrappers import Response

    from schemas.hub.member import Member

#: The cookie with a session's token.
SESSION_COOKIE: Final = "update_sync_session"


#: Routes that pages ask for by themselves.
POLLS: Final = (
    "runs.progress",
    "start.progress",
    "sync_user.progress",
    "match_decisions.progress",
    "tasks.progress",
    "drafts.forecast",
)

#: Every route by its endpoint. A route that is missing here answers no request.
ROUTES: Final[Mapping[str, Access]] = {
    **API_ROUTES,
    "static": Access.PUBLIC,
    "language.choose": Access.PUBLIC,
    "sign_in.show": Access.PUBLIC,
    "sign_in.use": Access.PUBLIC,
    "sign_in.sign_out": Access.MEMBER,
    "sign_in.sign_out_everywhere": Access.MEMBER,
    "entra_sign_in.begin": Access.PUBLIC,
    "entra_sign_in.finish": Access.PUBLIC,
    "permissions.show": Access.MEMBER,
    "permissions.accessibility": Access.PUBLIC,
    "members.overview": Access.ADMINISTRATOR,
    "members.add": Access.ADMINISTRATOR,
    "members.show": Access.ADMINISTRATOR,
    "members.change": Access.ADMINISTRATOR,
    "members.link": Access.ADMINISTRATOR,
    "members.sign_out": Access.ADMINISTRATOR,
    "members.remove": Access.ADMINISTRATOR,
    "audit.of_all": Access.OPERATOR,
    "audit.of_tenant": Access.TENANT_READER,
    "syncs.overview": Access.MEMBER,
    "syncs.of_tenant": Access.TENANT_READER,
    "attention.overview": Access.TENANT_READER,
    "attention.users": Access.TENANT_READER,
    "attention.names": Access.TENANT_ADMINISTRATOR,
    "attention.users_csv": Access.TENANT_READER,
    "attention.all_csv": Access.TENANT_READER,
    "report.show": Access.TENANT_READER,
    "report.list_csv": Access.TENANT_READER,
    "runs.overview": Access.TENANT_READER,
    "runs.show": Access.TENANT_READER,
    "runs.progress": Access.TENANT_READER,
    "start.show": Access.TENANT_ADMINISTRATOR,
    "start.begin": Access.TENANT_ADMINISTRATOR,
    "start.requested": Access.TENANT_ADMINISTRATOR,
    "start.progress": Access.TENANT_ADMINISTRATOR,
    "cancel.ask": Access.TENANT_ADMINISTRATOR,
    "cancel.cancel": Access.TENANT_ADMINISTRATOR,
    "resume.ask": Access.TENANT_ADMINISTRATOR,
    "resume.resume": Access.TENANT_ADMINISTRATOR,
    "resume.sample": Access.TENANT_ADMINISTRATOR,
    "matches.overview": Access.TENANT_READER,
    "matches.show": Access.TENANT_ADMINISTRATOR,
    "matches.show_values": Access.TENANT_ADMINISTRATOR,
    "match_decisions.ask": Access.TENANT_ADMINISTRATOR,
    "match_decisions.decide": Access.TENANT_ADMINISTRATOR,
    "match_decisions.ask_back": Access.TENANT_ADMINISTRATOR,
    "match_decisions.take_back": Access.TENANT_ADMINISTRATOR,
    "match_decisions.done": Access.TENANT_ADMINISTRATOR,
    "match_decisions.progress": Access.TENANT_ADMINISTRATOR,
    "schedule.show": Access.TENANT_ADMINISTRATOR,
    "schedule.times": Access.TENANT_ADMINISTRATOR,
    "schedule.save": Access.TENANT_ADMINISTRATOR,
    "schedule.pause": Access.TENANT_ADMINISTRATOR,
    "schedule.resume": Access.TENANT_ADMINISTRATOR,
    "undo.ask": Access.TENANT_ADMINISTRATOR,
    "undo.undo": Access.TENANT_ADMINISTRATOR,
    "choose.show": Access.TENANT_ADMINISTRATOR,
    "choose.begin": Access.TENANT_ADMINISTRATOR,
    "choose.aside": Access.TENANT_ADMINISTRATOR,
    "choose.back": Access.TENANT_ADMINISTRATOR,
    "tasks.show": Access.TENANT_ADMINISTRATOR,
    "tasks.progress": Access.TENANT_ADMINISTRATOR,
    "tasks.control": Access.TENANT_ADMINISTRATOR,
    "tasks.users": Access.TENANT_ADMINISTRATOR,
    "run_users.show": Access.TENANT_READER,
    "run_users.as_csv": Access.TENANT_READER,
    "run_users.changes": Access.TENANT_READER,
    "mapping.show": Access.TENANT_READER,
    "mapping.export": Access.TENANT_READER,
    "mapping.make": Access.TENANT_ADMINISTRATOR,
    "mapping.from_file": Access.TENANT_ADMINISTRATOR,
    "mapping.restore": Access.TENANT_ADMINISTRATOR,
    "mapping.approvals": Access.TENANT_ADMINISTRATOR,
    "drafts.approve": Access.TENANT_ADMINISTRATOR,
    "drafts.show": Access.TENANT_READER,
    "drafts.export": Access.TENANT_READER,
    "drafts.forecast": Access.TENANT_READER,
    "drafts.edit": Access.TENANT_ADMINISTRATOR,
    "drafts.try_all": Access.TENANT_ADMINISTRATOR,
    "drafts.find": Access.TENANT_ADMINISTRATOR,
    "drafts.values": Access.TENANT_ADMINISTRATOR,
    "drafts.activate": Access.TENANT_ADMINISTRATOR,
    "drafts.discard": Access.TENANT_ADMINISTRATOR,
    "notifications.show": Access.TENANT_ADMINISTRATOR,
    "notifications.save": Access.TENANT_ADMINISTRATOR,
    "notifications.test": Access.TENANT_ADMINISTRATOR,
    "notifications.secret": Access.TENANT_ADMINISTRATOR,
    "operator_notifications.show_own": Access.OPERATOR,
    "operator_notifications.save_own": Access.OPERATOR,
    "operator_notifications.test_own": Access.OPERATOR,
    "operator_notifications.secret_own": Access.OPERATOR,
    "repair.show": Access.TENANT_READER,
    "repair.as_csv": Access.TENANT_READER,
    "tokens.overview": Access.TENANT_ADMINISTRATOR,
    "tokens.make": Access.TENANT_ADMINISTRATOR,
    "tokens.end": Access.TENANT_ADMINISTRATOR,
    "api-docs.openapi_json": Access.PUBLIC,
    "settings.show": Access.TENANT_READER,
    "organisations.show": Access.OPERATOR,
    "organisations.add": Access.OPERATOR,
    "set_up.show": Access.TENANT_ADMINISTRATOR,
    "set_up.app": Access.TENANT_ADMINISTRATOR,
    "set_up.certificate": Access.TENANT_ADMINISTRATOR,
    "set_up.secret": Access.TENANT_ADMINISTRATOR,
    "set_up.test": Access.TENANT_ADMINISTRATOR,
    "set_up.switch_sync": Access.TENANT_ADMINISTRATOR,
    "sync_user.ask": Access.TENANT_ADMINISTRATOR,
    "sync_user.begin": Access.TENANT_ADMINISTRATOR,
    "sync_user.watch": Access.TENANT_ADMINISTRATOR,
    "sync_user.progress": Access.TENANT_ADMINISTRATOR,
    "users.search": Access.TENANT_READER,
    "users.find": Access.TENANT_READER,
    "users.names": Access.TENANT_READER,
    "users.show": Access.TENANT_READER,
    "users.show_values": Access.TENANT_READER,
}


def install_access(app: Flask) -> None:
    """Check every request of an app against the table, before anything else looks at it."""
    app.before_request(_check)


def is_allowed(access: Access, member: Member, tenant: str) -> bool:
    """Say whether a member may ask for a route, of the tenant that its address names, if it names one."""
    match access:
        case Access.PUBLIC | Access.MEMBER:
            return True
        case Access.TENANT_READER:
            return member.sees(tenant)
        case Access.TENANT_ADMINISTRATOR:
            return member.administers(tenant)
        case Access.ADMINISTRATOR:
            return any(member.administers(each) for each in member.tenants) or member.role is Role.OPERATOR
        case Access.OPERATOR:
            return member.role is Role.OPERATOR
        case Access.API_TOKEN | Access.API_ACTION:
            return False


def _check() -> Response | None:
    g.member = g.api_token = None
    if request.endpoint == "static":
        return None
    # No address of ours has such a text in it, and no database takes one.
    if not all(is_storable(str(each)) for each in (request.view_args or {}).values()):
        abort(404)
    access = ROUTES.get(request.endpoint or "")
    if access in (Access.API_TOKEN, Access.API_ACTION):
        g.api_token = token_of(_bearer(), store=hub_services().store) or abort(401)
        if access is Access.API_ACTION and not g.api_token.may_act:
            abort(403)
        return None
    return _check_member()


def _check_member() -> Response | None:
    if request.endpoint is not None and request.endpoint not in ROUTES:
        abort(404)
    g.member = _member()
    if request.endpoint is None:
        # There is no such address, or not with this method: Flask says so.
        return None
    access = ROUTES[request.endpoint]
    if g.member is None:
        if access is Access.PUBLIC:
            return None
        wanted = None
        if request.method == "GET" and request.path != "/" and not is_poll():
            wanted = request.full_path.rstrip("?")
        answer = redirect(url_for("sign_in.show", page=wanted), 303)
        if is_poll():
            # htmx would put the sign-in page into the middle of this one.
            answer.headers["HX-Redirect"] = url_for("sign_in.show")
            answer.status_code = 401
        return answer
    if not is_allowed(access, g.member, str((request.view_args or {}).get("tenant", ""))):
        abort(404)
    return None


def is_poll() -> bool:
    """Whether a page asks by itself, without its user: that keeps no session alive."""
    return request.endpoint in POLLS


def _bearer() -> str:
    """Return the token that a program sends (RFC 6750), blank if it sends none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _member() -> Member | None:
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    return hub_services().sign_in.member_of(token, dt.datetime.now(dt.UTC), is_active=not is_poll())
