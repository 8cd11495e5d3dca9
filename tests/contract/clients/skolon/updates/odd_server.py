"""A small SCIM server with oddities of real ones in updates, which shares no code with the product."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

URN: Final = "urn:ietf:params:scim:schemas:extension:skolon:2.0:User"
_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_PATH: Final = re.compile(
    r'(?P<urn>urn:[\w.:-]+:User)?:?(?P<name>\w+)?(?:\[type eq "(?P<type>[^"]*)"\])?(?:\.(?P<part>\w+))?',
    re.IGNORECASE,
)


class Oddity(StrEnum):
    """What a server does that others do not."""

    NO_VALUE_FILTERS = "400 invalidPath for a value filter in a path"
    NO_VALUE_FILTERS_500 = "500 for a value filter in a path"
    IGNORES_VALUE_FILTERS = "200 for a value filter in a path, and nothing else"
    NO_URN_PATHS = "400 for the path of an attribute of an extension"
    IGNORES_URN_PATHS = "200 for the path of an attribute of an extension, and nothing else"
    NO_PATHS = "400 for an operation with a path"
    IGNORES_PATHS = "200 for an operation with a path, and nothing else"
    NEEDS_PATHS = "400 for an operation without a path"
    IGNORES_ADD = "200 for `add`, and nothing else"
    IGNORES_REMOVE = "200 for `remove`, and nothing else"
    IGNORES_ALL = "200, and nothing else"
    REFUSES_ALL = "400 without a word"
    REFUSES_NULL = "400 invalidValue for null"
    REPLACES_OBJECTS = "an object that is sent replaces the whole one"
    READ_ONLY_USER_NAME = "400 mutability for userName"
    IGNORES_USER_NAME = "userName never changes"
    CASE_SENSITIVE_TYPES = "types begin with a capital letter, and have to"
    URN_IN_CAPITALS = "the extension's URN in capitals"
    SMALL_LETTERS = "attribute names in small letters"
    NO_CONTENT = "204"
    SHOWS_NOTHING = "200 without a body"
    SHOWS_USER_BEFORE = "200 with the user from before"
    SHOWS_A_PART = "200 with an id, and no more"
    NO_VERSIONS = "no versions"
    SMALL_USER_NAMES = "user names in small letters"
    TELEPHONE_URIS = "telephone numbers as tel:"
    CUT_NAMES = "names of five letters at most"
    HIDES_SSN = "never shows a personal number"
    NO_TYPES = "keeps entries without types"
    TWO_OF_A_TYPE = "two e-mail addresses for work, of which the second is primary"


#: What is seen of a value that these servers keep in another form is never what was written.
ALTERS: Final = frozenset(
    {Oddity.SMALL_USER_NAMES, Oddity.TELEPHONE_URIS, Oddity.CUT_NAMES, Oddity.HIDES_SSN}
)


class RefusedError(Exception):
    """The server answers with an error."""

    def __init__(self, status: int, scim_type: str = "") -> None:
        super().__init__()
        self.status = status
        self.scim_type = scim_type


@dataclass
class OddServer:
    """Serves the `users` by their ids, SCIM documents, with all the `oddities` at once."""

    users: dict[str, dict[str, Any]]
    oddities: frozenset[Oddity]
    requests: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def has(self, *oddities: Oddity) -> bool:
        """Say whether the server has any of these."""
        return bool(self.oddities & set(oddities))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        method, user_id = environ["REQUEST_METHOD"], environ["PATH_INFO"].rpartition("/")[2]
        self.requests.append(method)
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            status, body = self._answer(method, user_id, json.loads(sent or b"{}"), environ)
        except RefusedError as error:
            status = f"{error.status} Refused"
            refusal = {"schemas": [_ERROR], "status": str(error.status)}
            body = json.dumps(refusal | ({"scimType": error.scim_type} if error.scim_type else {})).encode()
        start_response(
            status, [("Content-Type", "application/scim+json"), ("Content-Length", str(len(body)))]
        )
        return [body] if body else []

    def _answer(
        self, method: str, user_id: str, sent: dict[str, Any], environ: WSGIEnvironment
    ) -> tuple[str, bytes]:
        if user_id not in self.users:
            raise RefusedError(404)
        before = self.users[user_id]
        if method == "GET":
            return "200 OK", self._shown(before)
        if environ.get("HTTP_IF_MATCH") not in (None, "*", self._version(before)):
            raise RefusedError(412)
        self.bodies.append(sent)
        if method == "PUT":
            after = sent
        else:
            after = copy.deepcopy(before)
            for operation in sent["Operations"]:
                self._carry_out(after, operation)
        after = self._kept(before, after)
        if after != before:
            after["changes"] = before.get("changes", 0) + 1
        self.users[user_id] = after
        if self.has(Oddity.NO_CONTENT):
            return "204 No Content", b""
        if self.has(Oddity.SHOWS_NOTHING):
            return "200 OK", b""
        if self.has(Oddity.SHOWS_A_PART):
            return "200 OK", json.dumps({"id": user_id}).encode()
        return "200 OK", self._shown(before if self.has(Oddity.SHOWS_USER_BEFORE) else after)

    def _version(self, user: dict[str, Any]) -> str | None:
        return None if self.has(Oddity.NO_VERSIONS) else f'W/"{user.get("changes", 0)}"'

    def _shown(self, user: dict[str, Any]) -> bytes:
        shown = copy.deepcopy(user)
        shown.pop("changes", None)
        if not self.has(Oddity.NO_VERSIONS):
            shown["meta"] = {"version": self._version(user)}
        extension = shown.get(self._urn, {})
        if self.has(Oddity.HIDES_SSN):
            extension.pop("ssn", None)
        if self.has(Oddity.SMALL_LETTERS):
            shown = {name if ":" in name else name.lower(): value for name, value in shown.items()}
        return json.dumps(shown).encode()

    @property
    def _urn(self) -> str:
        return URN.upper() if self.has(Oddity.URN_IN_CAPITALS) else URN

    @staticmethod
    def _entries(user: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for name in ("emails", "phoneNumbers", "addresses"):
            yield from user.get(name) or []

    def _kept(self, before: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        """Return what the server keeps of a user."""
        names = {"externalid": "externalId", "username": "userName", "phonenumbers": "phoneNumbers"}
        names["nickname"] = "nickName"
        after = {names.get(name.lower(), name): value for name, value in sent.items()}
        after["userName"] = after.get("userName") or before["userName"]
        after["id"] = before["id"]
        after.pop("meta", None)
        if self.has(Oddity.READ_ONLY_USER_NAME) and after["userName"] != before["userName"]:
            raise RefusedError(400, "mutability")
        if self.has(Oddity.IGNORES_USER_NAME):
            after["userName"] = before["userName"]
        if self.has(Oddity.SMALL_USER_NAMES):
            after["userName"] = after["userName"].lower()
        if self.has(Oddity.CUT_NAMES):
            name: dict[str, str] = after.get("name") or {}
            after["name"] = {part: value[:5] for part, value in name.items()}
        if self.has(Oddity.NO_TYPES):
            for entry in self._entries(after):
                entry.pop("type", None)
        if self.has(Oddity.TELEPHONE_URIS):
            for entry in after.get("phoneNumbers") or []:
                entry["value"] = "tel:" + entry["value"].removeprefix("tel:").replace(" ", "-")
        return after

    def _carry_out(self, user: dict[str, Any], operation: dict[str, Any]) -> None:
        op, path = operation["op"], operation.get("path")
        value: Any = operation.get("value")
        self._check(op, path, value)
        if (
            self.has(Oddity.IGNORES_ALL)
            or (self.has(Oddity.IGNORES_ADD) and op == "add")
            or (self.has(Oddity.IGNORES_REMOVE) and op == "remove")
            or (self.has(Oddity.IGNORES_PATHS) and path is not None)
            or (self.has(Oddity.IGNORES_VALUE_FILTERS) and "[" in (path or ""))
            or (self.has(Oddity.IGNORES_URN_PATHS) and _is_attribute_of_urn(path))
        ):
            return
        if path is None:
            for name, each in value.items():
                self._set(user, name, each)
            return
        found = _PATH.fullmatch(path)
        if found is None:
            raise RefusedError(400, "invalidPath")
        if found["type"] is not None:
            self._change_entries(user, found, value, removes=op == "remove")
            return
        holder = user
        name = found["name"] or found["urn"]
        if found["urn"] and found["name"]:
            holder = user.setdefault(_spelled(user, found["urn"]), {})
        elif found["part"]:
            holder, name = user.setdefault(_spelled(user, found["name"]), {}), found["part"]
        if op == "add" and isinstance(value, list):
            name = _spelled(holder, name)
            holder[name] = [*(holder.get(name) or []), *value]
        else:
            self._set(holder, name, None if op == "remove" else value)

    def _check(self, op: str, path: str | None, value: Any) -> None:
        """Raise if the server refuses an operation."""
        if self.has(Oddity.REFUSES_ALL):
            raise RefusedError(400)
        if self.has(Oddity.NO_VALUE_FILTERS_500) and "[" in (path or ""):
            raise RefusedError(500)
        if (
            (self.has(Oddity.NO_VALUE_FILTERS) and "[" in (path or ""))
            or (self.has(Oddity.NO_URN_PATHS) and _is_attribute_of_urn(path))
            or (self.has(Oddity.NO_PATHS) and path is not None)
            or (self.has(Oddity.NEEDS_PATHS) and path is None)
        ):
            raise RefusedError(400, "invalidPath")
        if self.has(Oddity.REFUSES_NULL) and op != "remove" and "null" in json.dumps(value):
            raise RefusedError(400, "invalidValue")

    def _set(self, holder: dict[str, Any], name: str, value: Any) -> None:
        name = _spelled(holder, name)
        if isinstance(value, dict) and not self.has(Oddity.REPLACES_OBJECTS):
            value = {**(holder.get(name) or {}), **value}
        if isinstance(value, dict):
            value = {part: each for part, each in value.items() if each is not None}
        if value is None:
            holder.pop(name, None)
        else:
            holder[name] = value

    def _change_entries(
        self, user: dict[str, Any], found: re.Match[str], value: Any, *, removes: bool
    ) -> None:
        """Change every entry that has the type (RFC 7644 section 3.5.2)."""
        name = _spelled(user, found["name"])
        entries = user.get(name) or []
        fold = str if self.has(Oddity.CASE_SENSITIVE_TYPES) else str.lower
        meant = [entry for entry in entries if fold(entry.get("type") or "") == fold(found["type"])]
        if not meant:
            raise RefusedError(400, "noTarget")
        for entry in meant:
            if not removes:
                entry[found["part"]] = value
            elif found["part"]:
                entry.pop(found["part"], None)
            else:
                entries.remove(entry)


def _is_attribute_of_urn(path: str | None) -> bool:
    return path is not None and path.lower().startswith(f"{URN.lower()}:")


def _spelled(holder: dict[str, Any], name: str) -> str:
    return next((each for each in holder if each.lower() == name.lower()), name)
