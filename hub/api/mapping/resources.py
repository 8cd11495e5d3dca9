"""The attribute mapping: read, drafted, tried, made active and taken back by programs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import abort
from flask_smorest import Blueprint

from administration.tenants.mapping import drafts as mapping
from administration.tenants.mapping.proposals import proposals
from hub.api.mapping import schemas
from hub.api.problems import refuse
from hub.api.resources import own_tenant
from hub.api.routes import (
    get_route,
    post_route,
    refuse_action,
    refuse_unreadable_json,
    submission_of,
)
from hub.services import hub_services
from schemas.hub.action import ActionRefusedError
from schemas.tenants.mapping.sources import InvalidMappingError, check_mapping, dump_sources
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from administration.tenants.mapping.drafts import DraftView
    from schemas.tenants.mapping.sources import Sources

blueprint = Blueprint(
    "api_mapping",
    __name__,
    url_prefix="/api/v1",
    description="The attribute mapping of a tenant: drafted beside the active one, and tried on all users.",
)
blueprint.before_request(refuse_unreadable_json)

_get = partial(get_route, blueprint)
_post = partial(post_route, blueprint)
_meant = partial(post_route, blueprint, headers=schemas.VersionHeader, further=(412,))


@_get("/syncs/<tenant>/mapping", schemas.MappingSchema)
def active(tenant: str) -> dict[str, Any]:
    """Return the active mapping."""
    return _active(own_tenant(tenant))


@_get("/syncs/<tenant>/mapping/history", schemas.HistorySchema)
def history(tenant: str) -> dict[str, Any]:
    """List how the active mapping has changed."""
    changes = hub_services().store.mapping_changes.list(own_tenant(tenant))
    return {
        "changes": [
            {
                "change": str(each.id),
                "at": timestamp(each.at),
                "before": dump_sources(each.before),
                "after": dump_sources(each.after),
            }
            for each in changes
        ]
    }


@_post(
    "/syncs/<tenant>/mapping/history/<change>/restore",
    schemas.MappingSchema,
    body=schemas.SideSchema,
    headers=schemas.MappingStateHeader,
    further=(412,),
)
def restore(headers: Mapping[str, str], body: Mapping[str, str], tenant: str, change: str) -> dict[str, Any]:
    """Make the mapping active again that a change has replaced, or the one that it has made."""
    store = hub_services().store
    found = store.mapping_changes.get(own_tenant(tenant), _number(change)) or abort(404)
    sources = found.before if body["side"] == "before" else found.after
    try:
        mapping.restore_mapping(tenant, sources, headers["state"], submission_of(headers), store=store)
    except ActionRefusedError as error:
        refuse_action(error)
    return _active(tenant)


@_get("/syncs/<tenant>/mapping/sources", schemas.SourceFactsSchema)
def sources(tenant: str) -> dict[str, Any]:
    """Return what each property of Entra holds, as the last preview of all users found."""
    store = hub_services().store
    facts = store.source_facts.latest(own_tenant(tenant))
    if facts is None:
        return {"run": None, "users": 0, "attributes": {}, "proposals": []}
    found = proposals(facts, store.tenants.outline(tenant).sources)
    return {**facts.as_json(), "proposals": [each.as_json() for each in found.values()]}


@_get("/syncs/<tenant>/mapping/drafts", schemas.DraftsSchema)
def drafts(tenant: str) -> dict[str, Any]:
    """List the drafts that are open."""
    found = hub_services().store.mapping_drafts.list(own_tenant(tenant))
    return {"drafts": [_draft(_view(tenant, str(each.id))) for each in found]}


@_post("/syncs/<tenant>/mapping/drafts", schemas.DraftSchema, body=schemas.NewDraftSchema, status=201)
def make(headers: Mapping[str, str], body: dict[str, Any], tenant: str) -> dict[str, Any]:
    """Make a draft; nothing becomes active by that."""
    store = hub_services().store
    sources = _checked(body, store.tenants.outline(own_tenant(tenant)).sources)
    try:
        draft = mapping.make_draft(tenant, sources, submission_of(headers), store=store)
    except ActionRefusedError as error:
        refuse_action(error)
    return _draft(_view(tenant, str(draft)))


@_get("/syncs/<tenant>/mapping/drafts/<draft>", schemas.DraftSchema)
def draft(tenant: str, draft: str) -> dict[str, Any]:
    """Return a draft beside the active mapping."""
    return _draft(_view(own_tenant(tenant), draft))


@_meant("/syncs/<tenant>/mapping/drafts/<draft>", schemas.DraftSchema, body=schemas.SourcesSchema)
def change(headers: Mapping[str, str], body: dict[str, Any], tenant: str, draft: str) -> dict[str, Any]:
    """Give attributes of a draft other sources."""
    found = _view(own_tenant(tenant), draft).draft
    sources = _checked(body, found.sources)
    try:
        mapping.replace_draft(
            found, sources, _version(headers), submission_of(headers), store=hub_services().store
        )
    except ActionRefusedError as error:
        refuse_action(error)
    return _draft(_view(tenant, draft))


@_post("/syncs/<tenant>/mapping/drafts/<draft>/try", schemas.ForecastSchema, status=202)
def try_draft(headers: Mapping[str, str], tenant: str, draft: str) -> dict[str, Any]:
    """Try a draft on all users: a dry run, which changes nothing and is kept."""
    services, found = hub_services(), _view(own_tenant(tenant), draft)
    if services.broker is None:
        refuse(409, action="not_connected")
    try:
        mapping.try_draft(
            found.draft, submission_of(headers), store=services.store, publisher=services.broker
        )
    except ActionRefusedError as error:
        refuse_action(error)
    return _forecast(_view(tenant, draft))


@_get("/syncs/<tenant>/mapping/drafts/<draft>/forecast", schemas.ForecastSchema)
def forecast(tenant: str, draft: str) -> dict[str, Any]:
    """Return what the last dry run with a draft has found."""
    return _forecast(_view(own_tenant(tenant), draft))


@_meant("/syncs/<tenant>/mapping/drafts/<draft>/activate", schemas.MappingSchema)
def activate(headers: Mapping[str, str], tenant: str, draft: str) -> dict[str, Any]:
    """Make a draft the active mapping."""
    found = _view(own_tenant(tenant), draft).draft
    try:
        mapping.activate_draft(
            found, _version(headers), None, submission_of(headers), store=hub_services().store
        )
    except ActionRefusedError as error:
        refuse_action(error)
    return _active(tenant)


@_post("/syncs/<tenant>/mapping/drafts/<draft>/discard", schemas.DiscardedSchema)
def discard(headers: Mapping[str, str], tenant: str, draft: str) -> dict[str, Any]:
    """Discard a draft."""
    found = _view(own_tenant(tenant), draft).draft
    try:
        mapping.discard_draft(found, submission_of(headers), store=hub_services().store)
    except ActionRefusedError as error:
        refuse_action(error)
    return {"draft": str(found.id)}


def _view(tenant: str, draft: str) -> DraftView:
    return mapping.view_draft(tenant, _number(draft), store=hub_services().store) or abort(404)


def _number(text: str) -> int:
    """Return a number of an address; another text is no number of anything that is there."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - an id


def _version(headers: Mapping[str, str | None]) -> int | None:
    version = headers["version"]
    return None if version is None else int(version)


def _checked(body: dict[str, Any], otherwise: Sources) -> Sources:
    try:
        return check_mapping(body, otherwise)
    except InvalidMappingError as error:
        named = {str(each.attribute or each.name or "sources"): str(each.fault) for each in error.faults}
        refuse(422, **named)


def _active(tenant: str) -> dict[str, Any]:
    found = hub_services().store.tenants.outline(tenant)
    return {
        "sources": dump_sources(found.sources),
        "needs_approval": sorted(map(str, found.needs_approval)),
        "state": mapping.state_of(found.sources),
    }


def _draft(view: DraftView) -> dict[str, Any]:
    found = view.draft
    return {
        "draft": str(found.id),
        "version": found.version,
        "sources": dump_sources(found.sources),
        "differs": [str(attribute) for attribute in view.differences],
        "needs_approval": [str(attribute) for attribute in view.to_approve],
        "releases": sorted(map(str, found.releases)),
        "approved": view.is_approved,
        "takes_back": [str(attribute) for attribute in view.taken_back],
        "lost_match_keys": [str(key) for key in view.lost_keys],
        "created": timestamp(found.created),
        "updated": timestamp(found.updated),
        "activated": found.activated and timestamp(found.activated),
    }


def _forecast(view: DraftView) -> dict[str, Any]:
    found = mapping.forecast_of(view.draft, store=hub_services().store)
    summary = None if found is None else found.summary
    preview = None if found is None else found.preview
    return {
        "requested": found is not None,
        "current": found is not None and not view.draft.is_forecast_old,
        "run": None if summary is None else summary.as_json(),
        "attributes": None if preview is None else preview.details.changes.as_json(),
        "mapping": None
        if preview is None
        else {str(name): each.as_json() for name, each in preview.mapping.items()},
        "would_halt": [] if preview is None else [str(each) for each in preview.would_halt],
    }
