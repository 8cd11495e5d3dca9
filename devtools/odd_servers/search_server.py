"""Searches with oddities of real servers. This shares no code with the product."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from devtools.odd_servers.oddities import SearchOddity
from schemas.users.scim import ERROR_RESPONSE, SCHOOL_EXTENSION, SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

_TERM: Final = re.compile(r'(?P<path>[\w.:-]+) eq (?P<value>"(?:[^"\\]|\\.)*")')


_PAGED: Final = frozenset(
    {
        SearchOddity.SMALL_PAGES,
        SearchOddity.SHUFFLED_PAGES,
        SearchOddity.IGNORES_START_INDEX,
        SearchOddity.REPEATS_A_PAGE,
        SearchOddity.CURSORS,
        SearchOddity.CURSORS_WITHOUT_TOTAL,
    }
)


@dataclass
class OddServer:
    """Serves `users`, SCIM documents, with all the `oddities` at once; counts its requests."""

    users: list[dict[str, Any]]
    oddities: frozenset[SearchOddity]
    requests: int = 0
    #: Returns a copy of a user with what is shown of it and not stored.
    dressed: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    #: Terms that a filter may have.
    max_terms: int | None = None
    _random: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        self.requests += 1
        asked = _asked(environ)
        status, body = self._answer(environ, asked)
        start_response(
            status, [("Content-Type", "application/scim+json"), ("Content-Length", str(len(body)))]
        )
        return [body]

    def has(self, *oddities: SearchOddity) -> bool:
        """Say whether the server has any of these."""
        return bool(self.oddities & set(oddities))

    def _answer(self, environ: WSGIEnvironment, asked: Mapping[str, Any]) -> tuple[str, bytes]:
        if self.has(SearchOddity.PLAIN_JSON) and "application/json" not in str(environ.get("HTTP_ACCEPT")):
            return "406 Not Acceptable", b""
        if self.has(SearchOddity.NO_POST) and environ["REQUEST_METHOD"] == "POST":
            return error_answer("404 Not Found")
        terms = list(_TERM.finditer(str(asked.get("filter", ""))))
        if self.has(SearchOddity.REFUSES_EMAILS) and any(term["path"] == "emails.value" for term in terms):
            return error_answer("400 Bad Request", scimType="invalidValue")
        if self.max_terms is not None and len(terms) > self.max_terms:
            return error_answer("400 Bad Request", scimType="tooMany")
        for oddity, answer in _REFUSALS.items():
            if self.has(oddity) and len(terms) >= (1 if oddity is SearchOddity.REFUSES_FILTERS else 2):
                return answer
        if self.has(SearchOddity.FIRST_TERM_ONLY):
            terms = terms[:1]
        if self.has(SearchOddity.LAST_TERM_ONLY):
            terms = terms[-1:]
        return self._found(terms, asked)

    def _found(self, terms: Sequence[re.Match[str]], asked: Mapping[str, Any]) -> tuple[str, bytes]:
        found = self.users
        if terms and not self.has(SearchOddity.IGNORES_FILTER):
            wanted = _wanted(terms)
            found = [user for user in self.users if _matches(user, wanted)]
        if not found and self.has(SearchOddity.NOT_FOUND_WHEN_EMPTY):
            return error_answer("404 Not Found")
        if not found and self.has(SearchOddity.BARE_WHEN_EMPTY):
            return "200 OK", b"{}"
        return "200 OK", json.dumps(self._page(found, asked)).encode()

    def _page(self, found: list[dict[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
        size = int(asked.get("count", 100))
        if self.has(*_PAGED):
            size = min(size, 3)
        if self.has(SearchOddity.NEEDS_COUNT) and "count" not in asked:
            size = 1
        start = int(asked.get("startIndex", 1)) - 1
        page: dict[str, Any] = {"totalResults": len(found)}
        if self.has(SearchOddity.CURSORS, SearchOddity.CURSORS_WITHOUT_TOTAL):
            start = int(asked.get("cursor", 0))
            page["nextCursor"] = str(start + size) if start + size < len(found) else None
        if self.has(SearchOddity.IGNORES_START_INDEX):
            start = 0
        if self.has(SearchOddity.REPEATS_A_PAGE) and start >= 2 * size:
            start -= size
        if self.has(SearchOddity.SHUFFLED_PAGES):
            found = self._random.sample(found, len(found))
        if self.has(SearchOddity.NO_TOTAL, SearchOddity.CURSORS_WITHOUT_TOTAL):
            del page["totalResults"]
        elif self.has(SearchOddity.TOTAL_IS_TEXT):
            page["totalResults"] = "many"
        return {**page, "Resources": [self.shown(user) for user in found[start : start + size]]}

    def shown(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """Return a user as the server shows it."""
        shown = self.dressed(user)
        if self.has(SearchOddity.INTEGER_IDS):
            shown["id"] = int(shown["id"])
        if self.has(SearchOddity.TEXT_AMONG_EMAILS):
            shown["emails"] = ["a text", *shown.get("emails", [])]
        if self.has(SearchOddity.URN_IN_CAPITALS):
            for urn in shown.keys() & {SKOLON_EXTENSION, SCHOOL_EXTENSION}:
                shown[urn.upper()] = shown.pop(urn)
        if self.has(SearchOddity.SMALL_LETTERS):
            shown = {name if ":" in name else name.lower(): value for name, value in shown.items()}
        return shown


def _asked(environ: WSGIEnvironment) -> dict[str, Any]:
    if environ["REQUEST_METHOD"] == "POST":
        asked: dict[str, Any] = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return asked
    return {name: values[0] for name, values in parse_qs(str(environ.get("QUERY_STRING", ""))).items()}


def _wanted(terms: Iterable[re.Match[str]]) -> dict[str, set[str]]:
    """Return the values that are looked for in small letters, by the path without the extension."""
    wanted: dict[str, set[str]] = {}
    for term in terms:
        value = str(json.loads(term["value"])).lower()
        path = term["path"].removeprefix(f"{SKOLON_EXTENSION}:").removeprefix(f"{SCHOOL_EXTENSION}:")
        wanted.setdefault(path, set()).add(value)
    return wanted


def _matches(user: Mapping[str, Any], wanted: Mapping[str, set[str]]) -> bool:
    extension = {**user.get(SKOLON_EXTENSION, {}), **user.get(SCHOOL_EXTENSION, {})}
    for path, values in wanted.items():
        if path == "emails.value":
            held = [entry.get("value") for entry in user.get("emails", ())]
        else:
            held = [user.get(path) or extension.get(path)]
        if any(str(value).lower() in values for value in held if value is not None):
            return True
    return False


def error_answer(status: str, **more: str) -> tuple[str, bytes]:
    """Return a status line and the body of a SCIM error."""
    return status, json.dumps({"schemas": [ERROR_RESPONSE], "status": status[:3], **more}).encode()


_REFUSALS: Final = {
    SearchOddity.REFUSES_FILTERS: error_answer("400 Bad Request", scimType="invalidFilter"),
    SearchOddity.REFUSES_OR_400: error_answer("400 Bad Request", scimType="invalidFilter"),
    SearchOddity.REFUSES_OR_500: error_answer("500 Internal Server Error"),
    SearchOddity.REFUSES_OR_501: error_answer("501 Not Implemented"),
    SearchOddity.UNREADABLE_OR: ("200 OK", b"<html></html>"),
}
