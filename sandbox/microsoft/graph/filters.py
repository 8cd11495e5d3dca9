"""``$filter`` on users: equality of a text, of a list's value, of an extension attribute; joined by ``or``.

Source: Microsoft's page on advanced query capabilities: extension attributes need ``$count=true`` and
``ConsistencyLevel: eventual``, and at most 15 terms are taken. Texts are compared without regard to case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.microsoft.http_messages import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_TERMS = 15

_TEXT = r"'((?:[^']|'')*)'"
_TERM = re.compile(
    rf"(?:(?P<list>\w+)/any\((?P<variable>\w):(?P=variable) eq {_TEXT}\)"
    rf"|onPremisesExtensionAttributes/(?P<extension>\w+) eq {_TEXT}|(?P<name>\w+) eq {_TEXT})(?: or |\Z)"
)
_SEARCHABLE = frozenset(("userPrincipalName", "mail", "onPremisesImmutableId", "displayName", "surname"))


def parse_filter(text: str, *, advanced: bool) -> Callable[[Mapping[str, Any]], bool]:
    """Return the condition that a filter makes; raise GraphError 400 for one that Graph would not take."""
    terms: list[Callable[[Mapping[str, Any]], bool]] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise _bad()
        at = found.end()
        terms.append(_condition(found, advanced=advanced))
    if not 0 < len(terms) <= MOST_TERMS:
        raise _bad()
    return lambda user: any(term(user) for term in terms)


def _condition(found: re.Match[str], *, advanced: bool) -> Callable[[Mapping[str, Any]], bool]:
    wanted = next(text for text in (found[3], found[5], found[7]) if text is not None)
    wanted = wanted.replace("''", "'").lower()
    if found["list"] is not None:
        return lambda user: wanted in [each.lower() for each in user.get(found["list"]) or ()]
    if found["extension"] is not None:
        if not advanced:
            raise _bad()
        return lambda user: (
            ((user.get("onPremisesExtensionAttributes") or {}).get(found["extension"]) or "").lower()
            == wanted
        )
    if found["name"] not in _SEARCHABLE:
        raise _bad()
    # Graph may give what is no text: nothing equals it.
    return lambda user: str(user.get(found["name"]) or "").lower() == wanted


def _bad() -> GraphError:
    return GraphError(
        400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified."
    )
