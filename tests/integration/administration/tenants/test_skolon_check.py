"""What `tenants check` says of servers that each do one thing which real ones are reported to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

import pytest

from administration.tenants.check_steps import CheckResult, Severity
from administration.tenants.skolon_check import check_skolon
from clients.skolon.auth import StaticToken
from clients.skolon.client import ScimSkolonClient
from clients.skolon.server.capabilities import SEARCH_CAPABILITIES, Capabilities, PatchForm
from devtools.odd_servers.oddities import SearchOddity
from devtools.odd_servers.search_server import OddServer
from sandbox.serving import serve
from schemas.tenants.skolon_target import SkolonLack
from schemas.users.attributes import Attribute
from schemas.users.scim import SKOLON_EXTENSION
from tests.contract.store.factories import tenant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

USERS, KEYS, TOGETHER = "users in Skolon", "match keys in Skolon", "several values in one search"
PAGES, READ, SAID = "pages in Skolon", "one user in Skolon", "what Skolon says of itself"

CORE: Final = "urn:ietf:params:scim:schemas:core:2.0:User"


def document(number: int) -> dict[str, Any]:
    address = f"elev{number}@kommun.example"
    return {
        "id": str(number),
        "externalId": f"entra-{number}",
        "userName": address,
        "emails": [{"type": "work", "value": address}],
        SKOLON_EXTENSION: {"eppn": address},
    }


@dataclass
class Server(OddServer):
    """An odd server that also reads one user, and says of itself what `descriptions` has by path."""

    descriptions: dict[str, Any] = field(default_factory=dict)
    has_reading: bool = True
    lines: list[str] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        path = environ["PATH_INFO"].removeprefix("/exempel")
        self.lines.append(f"{environ['REQUEST_METHOD']} {path}")
        if path.startswith("/Users") and path in ("/Users", "/Users/.search"):
            return super().__call__(environ, start_response)
        found = self.descriptions.get(path)
        if path.startswith("/Users/") and self.has_reading:
            found = next((user for user in self.users if path == f"/Users/{user['id']}"), None)
        status = "404 Not Found" if found is None else "200 OK"
        body = b"" if found is None else json.dumps(found).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def checked(server: Server, **settings: Any) -> dict[str, CheckResult]:
    """Return the steps by name; whatever is sent changes nothing (promise P1)."""
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        checked_tenant = tenant(**settings)
        client = client.for_target(checked_tenant.skolon_target).read_only()
        steps = {str(step.name): step for step in check_skolon(client, checked_tenant)}
    assert {line for line in server.lines if not line.startswith("GET ")} <= {"POST /Users/.search"}
    for step in steps.values():
        assert "kommun.example" not in f"{step.detail}{step.fix}"
        assert step.severity is not Severity.ERROR or step.detail
    return steps


def served_with(*oddities: SearchOddity, number: int = 20, **more: Any) -> Server:
    return Server([document(each) for each in range(number)], frozenset(oddities), **more)


def grades(steps: dict[str, CheckResult]) -> dict[str, str]:
    return {name: str(step.severity) for name, step in steps.items()}


GOOD: Final = {USERS: "ok", KEYS: "ok", TOGETHER: "ok", PAGES: "ok", READ: "ok", SAID: "skipped"}


def test_a_good_server_is_proven() -> None:
    """Each match key finds a user, one search finds several, pages add up, and a user is read by its id."""
    steps = checked(served_with())
    assert grades(steps) == GOOD
    assert steps[KEYS].detail == "users are found by external_id, eppn, user_name, email"
    assert steps[TOGETHER].detail == "one search finds users by external_id, eppn, user_name, email"


#: For each oddity the step whose result differs from that of a good server, with a word of what it says.
ODD: Final[dict[SearchOddity, tuple[str, str, str]]] = {
    SearchOddity.FIRST_TERM_ONLY: (TOGETHER, "warning", "one value at a time"),
    SearchOddity.LAST_TERM_ONLY: (TOGETHER, "warning", "one value at a time"),
    SearchOddity.REFUSES_OR_400: (TOGETHER, "warning", "one value at a time"),
    SearchOddity.REFUSES_OR_500: (TOGETHER, "warning", "one value at a time"),
    SearchOddity.REFUSES_OR_501: (TOGETHER, "warning", "one value at a time"),
    SearchOddity.UNREADABLE_OR: (TOGETHER, "warning", "one value at a time"),
    SearchOddity.SHUFFLED_PAGES: (PAGES, "warning", "repeat users"),
    SearchOddity.IGNORES_START_INDEX: (PAGES, "warning", "repeat users"),
    SearchOddity.REPEATS_A_PAGE: (PAGES, "warning", "repeat users"),
    SearchOddity.CURSORS_WITHOUT_TOTAL: (PAGES, "ok", "a cursor"),
    SearchOddity.NO_POST: (USERS, "warning", "searches by GET"),
    SearchOddity.IGNORES_FILTER: (USERS, "error", "ignores the filter"),
    SearchOddity.NO_TOTAL: (USERS, "error", "totalResults"),
    SearchOddity.TOTAL_IS_TEXT: (USERS, "error", "totalResults"),
    SearchOddity.REFUSES_FILTERS: (USERS, "error", "refuses every search"),
}


#: With these two steps fail: what cannot be searched alone cannot be searched with others.
TWO_STEPS: Final = {SearchOddity.REFUSES_EMAILS: {KEYS: "error", TOGETHER: "error"}}


@pytest.mark.parametrize("oddity", SearchOddity)
def test_what_a_server_cannot_do_is_said(oddity: SearchOddity) -> None:
    """An oddity that the sync works with is no error, and costs no step but its own."""
    steps = checked(served_with(oddity))
    if oddity not in ODD:
        assert grades(steps) == {**GOOD, **TWO_STEPS.get(oddity, {})}
        return
    name, grade, words = ODD[oddity]
    assert words in steps[name].detail
    expected = {USERS: "error", KEYS: "skipped"} if grade == "error" else {**GOOD, name: grade}
    assert grades(steps) == expected
    assert (steps[name].fix is not None) == (grade != "ok")


def test_a_key_that_finds_no_user_is_an_error() -> None:
    """A user that has the value, and is not found by it, would be `not_found` in a run."""

    class Deaf(Server):
        def _found(self, terms: Any, asked: Any) -> tuple[str, bytes]:
            heard = [term for term in terms if term["path"] != "emails.value"]
            return super()._found(heard, asked) if heard or not terms else ("200 OK", b'{"totalResults": 0}')

    steps = checked(Deaf([document(each) for each in range(20)], frozenset()))
    assert steps[KEYS].severity is Severity.ERROR
    assert "Skolon does not find users by E-mail" in steps[KEYS].detail
    assert "--match-keys" in str(steps[KEYS].fix)
    assert steps[TOGETHER].severity is Severity.ERROR
    assert grades(checked(served_with(), match_keys=["external_id", "eppn"])) == GOOD


def test_what_no_user_has_is_not_proven() -> None:
    """The step names the keys that could not be tried."""
    steps = checked(served_with(), match_keys=["external_id", "ssn"])
    assert steps[KEYS].detail == "users are found by external_id; none of the users that were read has ssn"
    assert (steps[KEYS].severity, steps[TOGETHER].severity) == (Severity.OK, Severity.SKIPPED)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 6, 7])
def test_few_users(number: int) -> None:
    """An organisation without users cannot be proven, which is no error; one user is enough for most."""
    steps = checked(served_with(number=number))
    if number:
        assert grades(steps) == {**GOOD, PAGES: "skipped" if number <= 2 else "ok"}
    else:
        assert grades(steps) == {USERS: "ok", KEYS: "warning", SAID: "skipped"}


def test_a_user_that_cannot_be_read_by_its_id() -> None:
    steps = checked(served_with(has_reading=False))
    assert grades(steps) == {**GOOD, READ: "error"}
    assert "read by its id" in steps[READ].detail


def schema(urn: str, *names: str, **more: dict[str, Any]) -> dict[str, Any]:
    return {"id": urn, "attributes": [{"name": name, **more.get(name, {})} for name in names]}


def parts(*names: str) -> dict[str, Any]:
    return {"subAttributes": [{"name": name} for name in names]}


CORE_SCHEMA: Final = schema(
    CORE,
    *("userName", "name", "emails", "phoneNumbers", "addresses"),
    name=parts("givenName", "familyName"),
    emails=parts("value", "type"),
    phoneNumbers=parts("value", "type"),
    addresses=parts("streetAddress", "locality", "postalCode"),
)
EXTENSION: Final = schema(SKOLON_EXTENSION, "eppn", "idpIdentifier", "ssn", "birthDate")


def described(*schemas: dict[str, Any], patch: bool = True) -> dict[str, Any]:
    return {
        "/ServiceProviderConfig": {"PATCH": {"supported": patch}, "filter": {"supported": True}},
        "/Schemas": {"totalResults": len(schemas), "Resources": list(schemas)},
    }


@pytest.mark.parametrize(
    ("descriptions", "grade", "words"),
    [
        (described(CORE_SCHEMA, EXTENSION), "ok", "it takes PATCH, and has all attributes of the sync"),
        (described(), "ok", "it takes PATCH"),
        (described(CORE_SCHEMA, EXTENSION, patch=False), "error", "it takes no PATCH"),
        (described(CORE_SCHEMA), "warning", "it has no birth_date, eppn, idp_identifier, ssn"),
        (
            described(CORE_SCHEMA, schema(SKOLON_EXTENSION, "eppn", "idpIdentifier", "birthDate")),
            "warning",
            "it has no ssn",
        ),
        (
            described(
                CORE_SCHEMA,
                schema(
                    SKOLON_EXTENSION.upper(),
                    *("EPPN", "idpIdentifier", "ssn", "birthDate"),
                    EPPN={"mutability": "readOnly"},
                    ssn={"returned": "never"},
                ),
            ),
            "warning",
            "it lets no client change eppn; it never shows ssn",
        ),
        ({"/Schemas": {"totalResults": 9, "Resources": [CORE_SCHEMA]}}, "skipped", "nothing"),
        ({"/Schemas": [], "/ServiceProviderConfig": "text"}, "skipped", "nothing"),
        ({"/Schemas": {"Resources": [1, {"id": CORE, "attributes": [None, {}]}]}}, "warning", "it has no"),
        ({"/ServiceProviderConfig": {"patch": {"supported": "yes"}}}, "skipped", "nothing"),
    ],
)
def test_what_a_server_says_of_itself(descriptions: dict[str, Any], grade: str, words: str) -> None:
    """Its description is shown, whatever it is like; only that there is no PATCH is an error."""
    step = checked(served_with(descriptions=descriptions))[SAID]
    assert (str(step.severity), step.detail[: len(words)]) == (grade, words)


@pytest.mark.parametrize("oddity", [SearchOddity.REFUSES_FILTERS, SearchOddity.IGNORES_FILTER])
def test_a_server_without_filters_is_no_fault_if_the_tenant_says_so(oddity: SearchOddity) -> None:
    """Its users are listed, and found by an index."""
    steps = checked(served_with(oddity), skolon_lacks=frozenset({SkolonLack.FILTERS}))
    assert {USERS: "ok", KEYS: "ok", TOGETHER: "ok", READ: "ok"}.items() <= grades(steps).items()
    assert "all users are listed" in steps[USERS].detail


def test_a_server_without_patch_is_no_fault_if_the_tenant_says_so() -> None:
    """Whole users are sent by PUT then; without that, the check says which setting does it."""
    descriptions = described(CORE_SCHEMA, EXTENSION, patch=False)
    without = checked(served_with(descriptions=descriptions))[SAID]
    assert "--skolon-lacks patch" in str(without.fix)
    lacks = frozenset({SkolonLack.PATCH})
    step = checked(served_with(descriptions=descriptions), skolon_lacks=lacks)[SAID]
    assert step.severity is not Severity.ERROR


def test_what_updates_have_found_out_is_kept_and_said() -> None:
    """A check changes no user, so it cannot find that out again; what a search tells it finds out."""
    server = served_with()
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        client._capabilities.record("exempel", knows_versions=False, takes_or=False)  # noqa: SLF001 - as a run does
        steps = {str(step.name): step for step in check_skolon(client, tenant())}
        assert client.capabilities("exempel").takes_or is True
        assert client.search("exempel", {Attribute.EXTERNAL_ID: "entra-1"})
    assert "changes of another program" in steps["updates in Skolon"].detail
    assert steps[TOGETHER].severity is Severity.OK


@pytest.mark.parametrize(
    ("known", "severity", "words"),
    [
        ({"knows_versions": False}, "warning", "versions that it gives"),
        ({"read_only": frozenset({Attribute.USER_NAME})}, "warning", "lets no client change user_name"),
        ({"unaccepted": frozenset({Attribute.SSN, Attribute.CITY})}, "warning", "takes city, ssn in no form"),
        ({"patch_forms": {"replace entry": PatchForm.LISTS}}, "ok", "sends it as lists"),
        ({"patch_forms": {"replace entry": PatchForm.PATHS}}, None, ""),
    ],
)
def test_each_finding_of_updates_is_said(known: dict[str, Any], severity: str | None, words: str) -> None:
    """What a check cannot find out again it shows; a new capability needs a line here, and words."""
    server = served_with()
    with serve(server, threads=2) as served:
        client = ScimSkolonClient(url=f"{served.url}/{{organisation}}", token=StaticToken("made-up"))
        client._capabilities.record("exempel", **known)  # noqa: SLF001 - as a run does
        steps = {str(step.name): step for step in check_skolon(client, tenant())}
    step = steps.get("updates in Skolon")
    assert (step and str(step.severity)) == severity
    assert words in (step.detail if step else "")


def test_no_finding_is_left_unsaid() -> None:
    """Each capability is found out again by the check, or is one of those above."""
    said = {"knows_versions", "read_only", "unaccepted", "patch_forms"}
    assert {each.name for each in fields(Capabilities)} == SEARCH_CAPABILITIES | said
