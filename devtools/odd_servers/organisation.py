"""One organisation of a SCIM server with oddities of real ones: searches, reads and updates.

It shares no code with the product, so that it can judge it.
"""

from __future__ import annotations

import copy
import email.utils
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from devtools.odd_servers import patching
from devtools.odd_servers.oddities import Oddities, SearchOddity, UpdateOddity
from devtools.odd_servers.search_server import OddServer, error_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from sandbox.municipality.municipality import Municipality

#: An answer: the status, headers beside those that each has, and the body.
Answer = tuple[str, dict[str, str], bytes]

#: Every so many requests one is throttled.
_THROTTLED_EVERY: Final = 40
#: Every so many updates the user has just been deleted.
_VANISHES_EVERY: Final = 20
#: Characters of a name that are kept.
KEPT_OF_NAMES: Final = 12
_LISTS: Final = ("emails", "phoneNumbers", "addresses")
#: Ids that are numbers are below this one.
_IDS: Final = 10**12
#: Terms that a filter may have.
_MAX_TERMS: Final = 26
#: Bytes of a query that a URL may have.
_MAX_QUERY: Final = 400


@dataclass
class OddOrganisation:
    """Serves the users with all `oddities` at once.

    `documents` are the users as they are stored, by the ids that they have in the municipality.
    """

    documents: dict[str, dict[str, Any]]
    oddities: Oddities
    patches: int = 0
    requests: int = 0
    _versions: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Have the users as a server keeps them that has always been like this."""
        self._search = OddServer(
            [],
            frozenset(one for one in self.oddities if isinstance(one, SearchOddity)),
            dressed=self._dressed,
            max_terms=_MAX_TERMS if self.has(UpdateOddity.FEW_TERMS) else None,
        )
        for user in self.documents.values():
            self._keep(user)

    def has(self, *oddities: UpdateOddity) -> bool:
        """Say whether the server has any of these."""
        return bool(self.oddities & set(oddities))

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse, rest: list[str]
    ) -> Iterable[bytes]:
        """Answer one request; `rest` is what the path has after the version."""
        with self._lock:
            self.requests += 1
            status, headers, body = self._answer(environ, rest)
        headers = {"Content-Type": "application/scim+json", **headers, "Content-Length": str(len(body))}
        start_response(status, list(headers.items()))
        return [body]

    def _answer(self, environ: WSGIEnvironment, rest: list[str]) -> Answer:
        if self.has(UpdateOddity.THROTTLES) and self.requests % _THROTTLED_EVERY == 0:
            until = email.utils.formatdate(time.time() + 1, usegmt=True)
            return "429 Too Many Requests", {"Retry-After": until}, b""
        if self.has(UpdateOddity.MOVED):
            return "308 Permanent Redirect", {"Location": "/elsewhere"}, b""
        match environ["REQUEST_METHOD"], rest:
            case _, ["Users"] | ["Users", ".search"]:
                return self._find(environ)
            case "GET", ["Users", user_id] if user_id in self._by_id:
                user = self._by_id[user_id]
                return "200 OK", self._version_header(user), self._as_json(user)
            case "PATCH", ["Users", user_id] if user_id in self._by_id:
                return self._patch(environ, self._by_id[user_id])
            case _:
                return self._not_found()

    def change_behind(self, user_id: str) -> bool:
        """Change a user as another program does; every server here can."""
        with self._lock:
            self._by_id[user_id].setdefault("name", {})["familyName"] = "Annan"
            self._versions[user_id] = self._versions.get(user_id, 1) + 1
        return True

    @property
    def _by_id(self) -> dict[str, dict[str, Any]]:
        return {user["id"]: user for user in self.documents.values()}

    def _not_found(self) -> Answer:
        if self.has(UpdateOddity.USERS_VANISH):
            return "404 Not Found", {}, b""
        return _refusal("404 Not Found")

    # ---- searches

    def _find(self, environ: WSGIEnvironment) -> Answer:
        query = str(environ.get("QUERY_STRING", ""))
        if self.has(UpdateOddity.SHORT_URLS) and len(query) > _MAX_QUERY:
            return "414 URI Too Long", {}, b"<html></html>"
        self._search.users = list(self.documents.values())
        given: list[str] = []
        body = b"".join(self._search(environ, lambda status, *_: given.append(status)))  # type: ignore[arg-type]
        return given[0], {}, body

    # ---- updates

    def _patch(self, environ: WSGIEnvironment, user: dict[str, Any]) -> Answer:
        self.patches += 1
        if self.has(UpdateOddity.NO_PATCH):
            return _refusal("501 Not Implemented")
        if self.has(UpdateOddity.USERS_VANISH) and self.patches % _VANISHES_EVERY == 1:
            self.documents = {key: kept for key, kept in self.documents.items() if kept is not user}
            return self._not_found()
        if not self._has_version(user, environ.get("HTTP_IF_MATCH")):
            return _refusal("412 Precondition Failed")
        asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        changed = copy.deepcopy(user)
        try:
            for operation in asked["Operations"]:
                for target in patching.targets(operation):
                    self._check(target)
                    if not self._ignores(target):
                        exact = self.has(UpdateOddity.EXACT_TYPES)
                        patching.apply(changed, target, exact_types=exact)
        except patching.RefusedPatchError as refused:
            return _refusal("400 Bad Request", scimType=refused.scim_type)
        if not self.has(UpdateOddity.IGNORES_UPDATES):
            self._keep(changed)
            if changed != user:
                user_id = user["id"]
                user.clear()
                user.update(changed)
                self._versions[user_id] = self._versions.get(user_id, 1) + 1
        return self._updated(user)

    def _check(self, target: patching.Target) -> None:
        """Raise `RefusedPatchError` for what the server does not take."""
        if self.has(UpdateOddity.NO_PATHS) and target.has_path and target.op != "remove":
            raise patching.RefusedPatchError("invalidPath")
        if self.has(UpdateOddity.NO_VALUE_FILTERS) and target.type is not None:
            raise patching.RefusedPatchError("invalidPath")
        if self.has(UpdateOddity.WHOLE_EXTENSIONS) and target.names_extension_attribute:
            raise patching.RefusedPatchError("invalidPath")
        if self.has(UpdateOddity.READ_ONLY_USER_NAME) and target.name.lower() == "username":
            raise patching.RefusedPatchError("mutability")

    def _ignores(self, target: patching.Target) -> bool:
        return self.has(UpdateOddity.IGNORES_ADD) and target.op == "add"

    def _updated(self, user: dict[str, Any]) -> Answer:
        if self.has(UpdateOddity.EMPTY_200):
            return "200 OK", {}, b""
        if self.has(UpdateOddity.ACCEPTED):
            return "202 Accepted", {}, b""
        if self.has(UpdateOddity.NO_CONTENT):
            return "204 No Content", {}, b""
        if self.has(UpdateOddity.PART_OF_USER):
            return "200 OK", {}, json.dumps({"id": user["id"], "active": True}).encode()
        return "200 OK", self._version_header(user), self._as_json(user)

    # ---- versions

    def _version(self, user: Mapping[str, Any]) -> str:
        number = self._versions.get(user["id"], 1)
        if self.has(UpdateOddity.UNQUOTED_VERSIONS):
            return str(number)
        return f'W/"{number}"' if self.has(UpdateOddity.WEAK_VERSIONS) else f'"{number}"'

    def _has_version(self, user: Mapping[str, Any], wanted: str | None) -> bool:
        if wanted is None:
            return True
        if self.has(UpdateOddity.REFUSES_VERSIONS):
            return False
        return wanted == self._version(user)

    def _version_header(self, user: Mapping[str, Any]) -> dict[str, str]:
        return {"ETag": self._version(user)}

    # ---- what is kept, and what is shown

    def _keep(self, user: dict[str, Any]) -> None:
        """Bring a user into the form in which the server keeps it."""
        if self.has(UpdateOddity.LOWER_CASE_USER_NAMES) and user.get("userName"):
            user["userName"] = user["userName"].lower()
        if self.has(UpdateOddity.TELEPHONE_URIS):
            for entry in user.get("phoneNumbers", ()):
                entry["value"] = f"tel:{entry['value'].removeprefix('tel:')}"
        if self.has(UpdateOddity.CUTS_NAMES):
            name = user.get("name", {})
            user["name"] = {part: text[:KEPT_OF_NAMES] for part, text in name.items()}
        if self.has(UpdateOddity.EXACT_TYPES):
            entries = (entry for name in _LISTS for entry in user.get(name, ()) if entry.get("type"))
            for entry in entries:
                entry["type"] = entry["type"].capitalize()

    def _as_json(self, user: Mapping[str, Any]) -> bytes:
        return json.dumps(self._search.shown(user)).encode()

    def _dressed(self, user: Mapping[str, Any]) -> dict[str, Any]:
        shown = copy.deepcopy(dict(user))
        shown["meta"] = {"resourceType": "User", "version": self._version(user)}
        if self.has(UpdateOddity.HIDES_SSN):
            for name, value in shown.items():
                if name.startswith("urn:") and isinstance(value, dict):
                    value.pop("ssn", None)
                    value.pop("civicNo", None)
        return shown


def _refusal(status: str, **more: str) -> Answer:
    status, body = error_answer(status, **more)
    return status, {}, body


def odd_organisation(municipality: Municipality, oddities: Oddities) -> OddOrganisation:
    """Return a server with the users that a municipality has in Skolon."""
    documents = {user["id"]: shaped(user, oddities) for user in municipality.skolon_users()}
    return OddOrganisation(documents, oddities)


def shaped(user: dict[str, Any], oddities: Oddities) -> dict[str, Any]:
    """Return a user with what such a server holds from the beginning."""
    shaped = copy.deepcopy(user)
    if SearchOddity.INTEGER_IDS in oddities:
        shaped["id"] = str(int(user["id"].replace("-", ""), 16) % _IDS)
    if UpdateOddity.TWO_WORK_ADDRESSES in oddities and shaped.get("emails"):
        shaped["emails"].append({"value": f"annan.{shaped['emails'][0]['value']}", "type": "work"})
    if UpdateOddity.UNTYPED_ENTRIES in oddities:
        for name in ("emails", "addresses"):
            if len(shaped.get(name, ())) == 1:
                del shaped[name][0]["type"]
    return shaped
