"""Which users an address or a form chooses of those that fail for a reason."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import abort, request
from flask_babel import get_timezone

from hub.addresses import task_of
from schemas.dead_letters.task import FailureSelection, TaskKind
from schemas.safe_text import is_storable
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason

#: Users that can be named: an address has no room for more.
MAX_TICKED: Final = 80


@dataclass(frozen=True, kw_only=True)
class RequestedSelection:
    """What was asked for, as a form sends it again; no `selection` if a date is none."""

    selection: FailureSelection | None
    fields: Mapping[str, str]


def requested_selection(tenant: str, reason: Reason) -> RequestedSelection:
    """Return the users that the current request chooses; there is no such page for what can be none."""
    values = request.values
    users = [*values.getlist("user"), *values.get("users", "").split()]
    if len(users) > MAX_TICKED or not all(is_entra_id(each) and is_storable(each) for each in users):
        abort(404)
    forecast = None
    if text := values.get("forecast", ""):
        tried = task_of(tenant, text)
        if tried.kind is not TaskKind.FORECAST or tried.selection.reason is not reason:
            abort(404)
        forecast = tried.id
    sent = {name: values.get(name, "").strip() for name in ("from", "to")}
    fields = {"users": " ".join(dict.fromkeys(users)), "forecast": str(forecast or ""), **sent}
    try:
        first, last = (dt.date.fromisoformat(text) if text else None for text in sent.values())
        selection = FailureSelection(
            reason=reason,
            users=tuple(dict.fromkeys(users)),
            after=None if first is None else _midnight(first) - dt.timedelta(seconds=1),
            before=None if last is None else _midnight(last + dt.timedelta(days=1)),
            forecast=forecast,
        )
    except (ValueError, OverflowError):
        return RequestedSelection(selection=None, fields=fields)
    return RequestedSelection(selection=selection, fields=fields)


def address_fields(selection: FailureSelection) -> Mapping[str, str | list[str]] | None:
    """Return what an address says to choose the same users once more; None if it has no room for them."""
    if len(selection.users) > MAX_TICKED:
        return None
    found: dict[str, str | list[str]] = {"user": list(selection.users)}
    if selection.after is not None:
        found["from"] = f"{_local(selection.after + dt.timedelta(seconds=1)):%Y-%m-%d}"
    if selection.before is not None:
        found["to"] = f"{_local(selection.before - dt.timedelta(seconds=1)):%Y-%m-%d}"
    return found


def _midnight(date: dt.date) -> dt.datetime:
    """Return when a day begins by the schools' clock."""
    zone = get_timezone()
    return dt.datetime(date.year, date.month, date.day, tzinfo=zone).astimezone(dt.UTC)


def _local(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(get_timezone())
