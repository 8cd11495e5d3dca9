"""Ids of users in texts, as links: an id in Entra or Skolon leads to the page of the user that it is."""

from __future__ import annotations

import re
from typing import Final

from flask import url_for
from markupsafe import Markup, escape

from schemas.safe_text import one_line

_ID: Final = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)


def with_links(text: object, tenant: str, own: str = "") -> Markup:
    """Return a text as markup, with a link at each id but `own`, that of the user whose page it is."""
    shown = one_line(str(text))
    parts, end = [], 0
    for found in _ID.finditer(shown):
        if found[0].lower() == own.lower():
            continue
        parts += [escape(shown[end : found.start()]), _link(found[0], tenant)]
        end = found.end()
    return Markup().join([*parts, escape(shown[end:])])


def _link(user: str, tenant: str) -> Markup:
    address = url_for("users.show", tenant=tenant, user=user)
    return Markup('<a class="ds-link hub-id" data-color="accent" href="{}">{}</a>').format(address, user)
