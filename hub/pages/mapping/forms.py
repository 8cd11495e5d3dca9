"""What the pages of the mapping share: who did what, and what an address names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort

from administration.tenants.mapping.drafts import view_draft
from hub.presentation.mapping.texts import author_name
from hub.services import hub_services

if TYPE_CHECKING:
    from administration.tenants.mapping.drafts import DraftView
    from schemas.hub.action import Actor

#: Digits of a number in an address.
_MAX_DIGITS = 9


def draft_of(tenant: str, draft: str) -> DraftView:
    """Return the draft of an address; there is no such page if the tenant has none of that number."""
    return view_draft(tenant, number_of(draft), store=hub_services().store) or abort(404)


def number_of(text: str) -> int:
    """Return a number of an address; there is no such page for another text."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        abort(404)
    return int(text)


class Authors:
    """Names of members and programs, read once for a page."""

    def __init__(self, tenant: str) -> None:
        store = hub_services().store
        self._members = {member.id: member.name for member in store.hub_members.list()}
        self._tokens = {token.id: token for token in store.hub_api_tokens.list(tenant)}

    def name(self, by: Actor, operator: str | None = None) -> str:
        """Return who has done something."""
        return author_name(by, self._members, self._tokens, operator)
