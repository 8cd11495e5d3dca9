"""What programs can ask for: the syncs, runs, failures and users of the token's tenant."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flask import abort, g
from flask_smorest import Blueprint

from administration.dead_letters.open_failures import failed_users_list, failure_groups
from administration.dead_letters.set_aside import groups_aside
from administration.paging import users_page
from administration.remedies import FailureOwners
from administration.runs.run_users import run_users_list
from administration.runs.tenant_runs import run_of_tenant, runs_page
from administration.tenants.data_quality import data_quality_of
from administration.tenants.status import tenant_statuses
from administration.users.status import user_report
from administration.users.view import is_left_out_by_rule
from hub.api import report_schemas, schemas
from hub.api.cursors import encode_cursor
from hub.api.problems import CONTENT_TYPE, ProblemSchema
from hub.services import hub_services
from schemas.details.detail import structured_json
from schemas.errors import UsageError
from schemas.timestamps import timestamp
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Response
    from marshmallow import Schema

    from administration.paging import Item, UsersPage
    from administration.users.status import UserReport
    from schemas.runs.run import RunSummary
    from schemas.tenants.tenant_status import TenantStatus

blueprint = Blueprint(
    "api",
    __name__,
    url_prefix="/api/v1",
    description="What the Data Hub's pages show, without personal values.",
)

#: Runs of a user that are told.
_RUNS_OF_USER: Final = 50


def _get(
    path: str, answer: type[Schema], *, query: type[Schema] | None = None
) -> Callable[[Callable[..., dict[str, Any]]], Any]:
    """Return the decorator of a resource: its address, parameters, answer with an ETag, and problems."""

    def decorate(function: Any) -> Any:
        function = blueprint.response(200, answer)(function)
        statuses = [401, 503]
        if "<" in path:
            statuses.append(404)
        if query is not None:
            function = blueprint.arguments(query, location="query")(function)
            # The library describes an answer of its own for it, which is not ours.
            function._apidoc["arguments"]["responses"].clear()  # noqa: SLF001 - it has no other place for that
            statuses.append(422)
        for status in statuses:
            function = blueprint.alt_response(status, schema=ProblemSchema, content_type=CONTENT_TYPE)(
                function
            )
        return blueprint.route(path, methods=["GET"])(blueprint.etag(function))

    return decorate


@blueprint.after_request  # type: ignore[untyped-decorator] # flask-smorest ships no types
def _may_be_kept(response: Response) -> Response:
    """Have a program ask with the ETag of the answer that it keeps."""
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@_get("/syncs", schemas.SyncsSchema)
def syncs() -> dict[str, Any]:
    """List the syncs that the token reads."""
    return {"syncs": [_sync(_status(g.api_token.tenant))]}


@_get("/syncs/<tenant>", schemas.OneSyncSchema)
def sync(tenant: str) -> dict[str, Any]:
    """Return a sync with its settings."""
    store = hub_services().store
    found = store.tenants.outline(own_tenant(tenant))
    origin, expires = store.tenants.secret_origin(tenant), found.client_secret_expires
    settings = {
        "entra_tenant_id": found.entra_tenant_id or None,
        "client_id": found.client_id or None,
        "client_secret_set": origin.set_at and timestamp(origin.set_at),
        "client_secret_expires": expires and expires.isoformat(),
        "organisation": found.organisation,
        "sources": {str(attribute): list(sources) for attribute, sources in found.sources.items()},
        "match_keys": [str(attribute) for attribute in found.match_keys],
        "schedule": found.schedule,
        "time_zone": found.time_zone,
    }
    return {**_sync(_status(tenant)), "settings": settings}


@_get("/syncs/<tenant>/runs", schemas.RunsSchema, query=schemas.RunsQuery)
def runs(query: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """List the runs, the newest first."""
    page = runs_page(
        own_tenant(tenant), store=hub_services().store, before=query["cursor"], limit=query["limit"]
    )
    return {
        "runs": [summary.as_json() for summary in page.runs],
        "next": None if page.before is None else encode_cursor(str(page.before)),
    }


@_get("/syncs/<tenant>/runs/<run>", schemas.RunSchema)
def run(tenant: str, run: str) -> dict[str, Any]:
    """Return a run."""
    return dict(own_run(tenant, run).as_json())


@_get("/syncs/<tenant>/runs/<run>/users", schemas.ResultsSchema, query=schemas.ResultsQuery)
def run_users(query: Mapping[str, Any], tenant: str, run: str) -> dict[str, Any]:
    """List what became of the users of a run, by their ids; those that a rule leaves out are only counted."""
    found, store = own_run(tenant, run), hub_services().store
    read = run_users_list(found.run.id, query["outcome"], query["reason"], store=store)
    page = users_page(read, after=query["cursor"], limit=query["limit"])
    return {"users": [each.as_json() for each in page.users], "next": _next(page)}


@_get("/syncs/<tenant>/failures", schemas.FailuresSchema)
def failures(tenant: str) -> dict[str, Any]:
    """Return the users that fail as things stand, in groups by reason, the largest first."""
    store = hub_services().store
    groups, owners = failure_groups(own_tenant(tenant), None, store=store), FailureOwners(store)
    aside = groups_aside([tenant], store=store, now=dt.datetime.now(dt.UTC)).get(tenant, {})
    return {
        "groups": [
            {
                "reason": str(group.reason),
                "owner": str(owners.of_group(tenant, group.reason, is_held_in_entra=group.is_held_in_entra)),
                "users": group.users,
                "first": timestamp(group.first),
                "last": timestamp(group.last),
                "settled_before": group.settled_before and timestamp(group.settled_before),
                "set_aside_until": timestamp(aside[group.reason].until) if group.reason in aside else None,
            }
            for group in groups
        ]
    }


@_get("/syncs/<tenant>/failures/users", schemas.FailedUsersSchema, query=schemas.FailedUsersQuery)
def failed_users(query: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """List the users that fail as things stand, by their ids."""
    store = hub_services().store
    read, owners = failed_users_list(own_tenant(tenant), query["reason"], store=store), FailureOwners(store)
    page = users_page(read, after=query["cursor"], limit=query["limit"])
    users = [
        {
            "user": each.entra_id,
            "run": str(each.run),
            "reason": str(each.reason),
            "owner": str(owners.of(tenant, each.reason, each.detail)),
            "detail": each.detail,
            "structured_detail": structured_json(each.detail),
            "since": timestamp(each.since),
        }
        for each in page.users
    ]
    return {"users": users, "next": _next(page)}


@_get("/syncs/<tenant>/report", report_schemas.ReportSchema, query=report_schemas.ReportQuery)
def report(query: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Return what there is to correct; there is none before a run of all users is complete."""
    try:
        found = data_quality_of(own_tenant(tenant), store=hub_services().store, limit=query["limit"])
    except UsageError:
        abort(404)
    told = found.as_json()
    for each in told["collisions"]["users"]:
        # Another tenant's user is not for this one's programs to see.
        if each.pop("holder_tenant"):
            each["users"][0] = None
    return told


@_get("/syncs/<tenant>/users/<user>", schemas.UserSchema)
def user(tenant: str, user: str) -> dict[str, Any]:
    """Return what runs recorded of a user, by the id in Entra; one that a rule leaves out is not there."""
    return recorded_user(tenant, user).without_protection().as_json()


def recorded_user(tenant: str, user: str) -> UserReport:
    """Return what runs recorded of a user of the token's tenant; one that a rule leaves out is not there."""
    own_tenant(tenant)
    if not is_entra_id(user):
        abort(404)
    report = user_report(tenant, user, store=hub_services().store, limit=_RUNS_OF_USER)
    if not report.history or is_left_out_by_rule(report.standing):
        abort(404)
    return report


def own_tenant(tenant: str) -> str:
    """Return the tenant of an address; another than the token's is not there."""
    if tenant != g.api_token.tenant:
        abort(404)
    return tenant


def own_run(tenant: str, run: str) -> RunSummary:
    """Return the run of an address, which is one of the token's tenant."""
    summary = run_of_tenant(own_tenant(tenant), run, store=hub_services().store)
    if summary is None:
        abort(404)
    return summary


def _status(tenant: str) -> TenantStatus:
    services = hub_services()
    (status,) = tenant_statuses(
        [tenant], store=services.store, now=dt.datetime.now(dt.UTC), idle=services.idle
    )
    groups = failure_groups(tenant, status.last_run, store=services.store)
    first = {group.reason: group.first for group in groups}
    problems = [
        replace(each, since=first.get(each.reason)) if each.reason is not None and each.users else each
        for each in status.problems
    ]
    return replace(status, problems=tuple(problems))


def _sync(status: TenantStatus) -> dict[str, Any]:
    last = status.last_run
    return {**status.as_json(), "name": status.name, "last_run": None if last is None else str(last.id)}


def _next(page: UsersPage[Item]) -> str | None:
    return None if page.after is None else encode_cursor(page.after)
