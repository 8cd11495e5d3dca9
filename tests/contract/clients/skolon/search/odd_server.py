"""A small SCIM server with oddities of real ones, which shares no code with the product."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from schemas.users.scim import ERROR_RESPONSE, SKOLON_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

_TERM: Final = re.compile(r'(?P<path>[\w.:-]+) eq (?P<value>"(?:[^"\\]|\\.)*")')


class Oddity(StrEnum):
    """What a server does that others do not."""

    NEEDS_COUNT = "needs count, and gives one user without it"
    SMALL_PAGES = "gives three users on a page"
    FIRST_TERM_ONLY = "looks at the first term of `or` alone"
    LAST_TERM_ONLY = "looks at the last term of `or` alone"
    REFUSES_OR_400 = "400 invalidFilter for `or`"
    REFUSES_OR_500 = "500 for `or`"
    REFUSES_OR_501 = "501 for `or`"
    UNREADABLE_OR = "HTML for `or`"
    SHUFFLED_PAGES = "sorts each page anew"
    IGNORES_START_INDEX = "gives the first page for every index"
    REPEATS_A_PAGE = "gives the second page twice"
    CURSORS = "pages by cursor alone"
    CURSORS_WITHOUT_TOTAL = "pages by cursor, and counts nothing"
    BARE_WHEN_EMPTY = "{} where nothing is found"
    NOT_FOUND_WHEN_EMPTY = "404 where nothing is found"
    PLAIN_JSON = "406 unless application/json is accepted"
    NO_POST = "404 for /.search"
    IGNORES_FILTER = "finds all users, whatever the filter"
    NO_TOTAL = "counts nothing"
    TOTAL_IS_TEXT = "counts in text"
    REFUSES_FILTERS = "400 invalidFilter for every filter"
    REFUSES_EMAILS = "400 invalidValue for every search by e-mail"
    INTEGER_IDS = "ids are integers"
    SMALL_LETTERS = "attribute names in small letters"
    TEXT_AMONG_EMAILS = "a text among the e-mail addresses"
    URN_IN_CAPITALS = "the extension's URN in capitals"


#: With these no search can be relied on: the run has to halt.
UNUSABLE: Final = frozenset(
    {
        Oddity.IGNORES_FILTER,
        Oddity.NO_TOTAL,
        Oddity.TOTAL_IS_TEXT,
        Oddity.REFUSES_FILTERS,
        Oddity.REFUSES_EMAILS,
    }
)

_PAGED: Final = frozenset(
    {
        Oddity.SMALL_PAGES,
        Oddity.SHUFFLED_PAGES,
        Oddity.IGNORES_START_INDEX,
        Oddity.REPEATS_A_PAGE,
        Oddity.CURSORS,
        Oddity.CURSORS_WITHOUT_TOTAL,
    }
)


@dataclass
class OddServer:
    """Serves `users`, SCIM documents, with all the `oddities` at once; counts its requests."""

    users: list[dict[str, Any]]
    oddities: frozenset[Oddity]
    requests: int = 0
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

    def has(self, *oddities: Oddity) -> bool:
        """Say whether the server has any of these."""
        return bool(self.oddities & set(oddities))

    def _answer(self, environ: WSGIEnvironment, asked: Mapping[str, Any]) -> tuple[str, bytes]:
        if self.has(Oddity.PLAIN_JSON) and "application/json" not in str(environ.get("HTTP_ACCEPT")):
            return "406 Not Acceptable", b""
        if self.has(Oddity.NO_POST) and environ["REQUEST_METHOD"] == "POST":
            return _error("404 Not Found")
        terms = list(_TERM.finditer(str(asked.get("filter", ""))))
        if self.has(Oddity.REFUSES_EMAILS) and any(term["path"] == "emails.value" for term in terms):
            return _error("400 Bad Request", scimType="invalidValue")
        for oddity, answer in _REFUSALS.items():
            if self.has(oddity) and len(terms) >= (1 if oddity is Oddity.REFUSES_FILTERS else 2):
                return answer
        if self.has(Oddity.FIRST_TERM_ONLY):
            terms = terms[:1]
        if self.has(Oddity.LAST_TERM_ONLY):
            terms = terms[-1:]
        return self._found(terms, asked)

    def _found(self, terms: Sequence[re.Match[str]], asked: Mapping[str, Any]) -> tuple[str, bytes]:
        found = self.users
        if terms and not self.has(Oddity.IGNORES_FILTER):
            found = [user for user in self.users if any(_matches(user, term) for term in terms)]
        if not found and self.has(Oddity.NOT_FOUND_WHEN_EMPTY):
            return _error("404 Not Found")
        if not found and self.has(Oddity.BARE_WHEN_EMPTY):
            return "200 OK", b"{}"
        return "200 OK", json.dumps(self._page(found, asked)).encode()

    def _page(self, found: list[dict[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
        size = int(asked.get("count", 100))
        if self.has(*_PAGED):
            size = min(size, 3)
        if self.has(Oddity.NEEDS_COUNT) and "count" not in asked:
            size = 1
        start = int(asked.get("startIndex", 1)) - 1
        page: dict[str, Any] = {"totalResults": len(found)}
        if self.has(Oddity.CURSORS, Oddity.CURSORS_WITHOUT_TOTAL):
            start = int(asked.get("cursor", 0))
            page["nextCursor"] = str(start + size) if start + size < len(found) else None
        if self.has(Oddity.IGNORES_START_INDEX):
            start = 0
        if self.has(Oddity.REPEATS_A_PAGE) and start >= 2 * size:
            start -= size
        if self.has(Oddity.SHUFFLED_PAGES):
            found = self._random.sample(found, len(found))
        if self.has(Oddity.NO_TOTAL, Oddity.CURSORS_WITHOUT_TOTAL):
            del page["totalResults"]
        elif self.has(Oddity.TOTAL_IS_TEXT):
            page["totalResults"] = "many"
        return {**page, "Resources": [self._shown(user) for user in found[start : start + size]]}

    def _shown(self, user: dict[str, Any]) -> dict[str, Any]:
        shown = dict(user)
        if self.has(Oddity.INTEGER_IDS):
            shown["id"] = int(shown["id"])
        if self.has(Oddity.TEXT_AMONG_EMAILS):
            shown["emails"] = ["a text", *shown.get("emails", [])]
        if self.has(Oddity.URN_IN_CAPITALS):
            shown[SKOLON_EXTENSION.upper()] = shown.pop(SKOLON_EXTENSION)
        if self.has(Oddity.SMALL_LETTERS):
            shown = {name if ":" in name else name.lower(): value for name, value in shown.items()}
        return shown


def _asked(environ: WSGIEnvironment) -> dict[str, Any]:
    if environ["REQUEST_METHOD"] == "POST":
        asked: dict[str, Any] = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return asked
    return {name: values[0] for name, values in parse_qs(str(environ.get("QUERY_STRING", ""))).items()}


def _matches(user: Mapping[str, Any], term: re.Match[str]) -> bool:
    value = json.loads(term["value"])
    extension = user.get(SKOLON_EXTENSION, {})
    path = term["path"].removeprefix(f"{SKOLON_EXTENSION}:")
    if path == "emails.value":
        return any(entry["value"].lower() == value.lower() for entry in user.get("emails", []))
    held = user.get(path) or extension.get(path)
    return held is not None and str(held).lower() == value.lower()


def _error(status: str, **more: str) -> tuple[str, bytes]:
    return status, json.dumps({"schemas": [ERROR_RESPONSE], "status": status[:3], **more}).encode()


_REFUSALS: Final = {
    Oddity.REFUSES_FILTERS: _error("400 Bad Request", scimType="invalidFilter"),
    Oddity.REFUSES_OR_400: _error("400 Bad Request", scimType="invalidFilter"),
    Oddity.REFUSES_OR_500: _error("500 Internal Server Error"),
    Oddity.REFUSES_OR_501: _error("501 Not Implemented"),
    Oddity.UNREADABLE_OR: ("200 OK", b"<html></html>"),
}
