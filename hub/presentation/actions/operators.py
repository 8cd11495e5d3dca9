"""Who has decided something: a member or a program of the Data Hub, or the user of a machine."""

from __future__ import annotations

from flask import g
from flask_babel import gettext

from hub.services import hub_services
from schemas.hub.action import actor_of


def operator_text(operator: str | None, tenant: str) -> str:
    """Return what a page calls the operator of a decision of a tenant."""
    actor = actor_of(operator)
    if actor is None:
        return operator or str(gettext("a person who is not known"))
    if actor.member is not None:
        name = _member_names().get(actor.member)
        return name or str(gettext("member %(number)s, who was removed", number=actor.member))
    labels = {token.id: token.label for token in hub_services().store.hub_api_tokens.list(tenant)}
    label = labels.get(actor.token or 0)
    return label or str(gettext("token %(number)s, which was ended", number=actor.token))


def _member_names() -> dict[int, str]:
    # A page may name many decisions.
    if "member_names" not in g:
        g.member_names = {member.id: member.name for member in hub_services().store.hub_members.list()}
    names: dict[int, str] = g.member_names
    return names
