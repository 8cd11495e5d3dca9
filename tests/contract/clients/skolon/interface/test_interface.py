"""What the sync relies on of any client of Skolon, whatever its API is like."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from administration.tenants.check_steps import Severity
from administration.tenants.skolon_check import check_skolon
from clients.skolon.errors import RejectedError, UserNotFoundError
from clients.skolon.server.capabilities import Capabilities
from schemas.dead_letter_reasons import Reason
from schemas.errors import (
    Dependency,
    HaltError,
    PermanentError,
    TransientError,
    UpdateSyncError,
    VersionConflictError,
)
from schemas.outcomes import Cause, Stage
from schemas.users.attributes import Attribute
from tests.contract.clients.skolon.interface.implementations import IMPLEMENTATIONS, Failure, Values, World
from tests.contract.store.factories import tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.users.skolon_user import SkolonUser


def values(number: int) -> Values:
    return {
        Attribute.EXTERNAL_ID: f"entra-{number}",
        Attribute.USER_NAME: f"u{number}@kommun.example",
        Attribute.EMAIL: f"mail{number}@kommun.example",
        Attribute.EPPN: f"eppn{number}@kommun.example",
        Attribute.IDP_IDENTIFIER: f"Idp{number}",
        Attribute.SSN: f"20000101238{number}",
        Attribute.FIRST_NAME: "Påhittad",
        Attribute.LAST_NAME: "Exempel",
    }


@pytest.fixture(params=IMPLEMENTATIONS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Give each implementation with six users, and one user of another organisation."""
    organisations = {
        "exempel": {f"user-{number}": values(number) for number in range(6)},
        "annan": {"user-9": values(9)},
    }
    with ExitStack() as stack:
        yield stack.enter_context(IMPLEMENTATIONS[request.param](organisations))


def ids(world: World, keys: Values, organisation: str = "exempel") -> list[str]:
    return sorted(user.id for user in world.client.search(organisation, keys))


def user_of(world: World, number: int = 1) -> SkolonUser:
    user = world.client.read("exempel", f"user-{number}")
    assert user is not None
    return user


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        *(({key: value}, ["user-2"]) for key, value in values(2).items() if "2" in value),
        ({Attribute.USER_NAME: "U3@Kommun.Example"}, ["user-3"]),
        ({Attribute.EXTERNAL_ID: "entra-1", Attribute.EPPN: "eppn2@kommun.example"}, ["user-1", "user-2"]),
        ({Attribute.EXTERNAL_ID: "entra-1", Attribute.EPPN: "eppn1@kommun.example"}, ["user-1"]),
        ({Attribute.EXTERNAL_ID: "entra-77", Attribute.EPPN: "eppn2@kommun.example"}, ["user-2"]),
        ({Attribute.EXTERNAL_ID: "entra-9"}, []),
        ({Attribute.EXTERNAL_ID: 'x" or userName pr or externalId eq "x'}, []),
        ({Attribute.EXTERNAL_ID: "\\"}, []),
        ({Attribute.EXTERNAL_ID: "ö&startIndex=1#+%22 \n"}, []),
        ({}, []),
    ],
)
def test_a_search_finds_the_users_that_have_any_of_the_values(
    world: World, keys: Values, found: list[str]
) -> None:
    """Each of them once, in this organisation alone; no value is taken for anything else."""
    assert ids(world, keys) == found


def test_what_is_found_is_what_is_read(world: World) -> None:
    """A user has its fourteen attributes, None where Skolon has nothing, and its version."""
    (found,) = world.client.search("exempel", {Attribute.EXTERNAL_ID: "entra-1"})
    assert found == user_of(world)
    assert dict(found.attributes) == {name: values(1).get(name) for name in Attribute}
    assert world.client.read("exempel", "user-77") is None
    assert world.client.read("annan", "user-1") is None
    assert ids(world, {Attribute.EXTERNAL_ID: "entra-9"}, "annan") == ["user-9"]


def test_users_are_searched_by_many_threads_at_once(world: World) -> None:
    """Each thread gets its own user."""
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda number: ids(world, {Attribute.EXTERNAL_ID: f"entra-{number % 8}"}), range(64))
    assert list(found) == [[f"user-{number % 8}"] if number % 8 < 6 else [] for number in range(64)]


CHANGES: Final[dict[Attribute, str | None]] = {
    Attribute.FIRST_NAME: "Ny",
    Attribute.CITY: "Nystad",
    Attribute.EMAIL: "ny@kommun.example",
    Attribute.MOBILE_PHONE: "070-174 06 01",
    Attribute.SSN: None,
}


def test_an_update_changes_what_it_names_and_nothing_else(world: World) -> None:
    """None removes a value. All other attributes, and all other users, stay as they are (P2)."""
    shown = world.client.update("exempel", user_of(world), CHANGES)
    assert shown == user_of(world)
    expected = {**values(1), **CHANGES}
    assert world.values("user-1") == {name: value for name, value in expected.items() if value is not None}
    assert user_of(world).attributes[Attribute.CITY] == "Nystad"
    for number in (0, 2, 3, 4, 5):
        assert world.values(f"user-{number}") == values(number)


def test_an_update_is_for_the_user_as_it_was_read(world: World) -> None:
    """What another program has changed meanwhile is not overwritten; read again, it can be updated."""
    user = user_of(world)
    world.change_behind("user-1")
    with pytest.raises(VersionConflictError):
        world.client.update("exempel", user, CHANGES)
    assert world.values("user-1") == values(1)
    world.client.update("exempel", user_of(world), CHANGES)
    world.client.update("exempel", user_of(world), {Attribute.CITY: None})
    assert user_of(world).attributes[Attribute.CITY] is None


def test_nothing_is_created(world: World) -> None:
    """P1: an update of a user that is not there says so, and leaves it like that."""
    user = user_of(world)
    gone = type(user)(id="user-77", version=user.version, attributes=user.attributes)
    with pytest.raises(UserNotFoundError):
        world.client.update("exempel", gone, CHANGES)
    assert world.values("user-77") is None


def test_a_dry_run_can_only_read(world: World) -> None:
    """P1: the client for dry runs finds and reads, and an update raises before anything is sent."""
    reader = world.client.read_only()
    (user,) = reader.search("exempel", {Attribute.EXTERNAL_ID: "entra-1"})
    assert reader.read("exempel", "user-1") == user
    with pytest.raises(UpdateSyncError):
        reader.update("exempel", user, CHANGES)
    assert world.values("user-1") == values(1)


REQUESTS: Final[dict[str, Callable[[World, SkolonUser], Any]]] = {
    "search": lambda world, _: ids(world, {Attribute.EXTERNAL_ID: "entra-1"}),
    "read": lambda world, _: world.client.read("exempel", "user-1"),
    "update": lambda world, user: world.client.update("exempel", user, CHANGES),
}


@pytest.mark.parametrize("ask", REQUESTS.values(), ids=REQUESTS.keys())
@pytest.mark.parametrize("failure", Failure)
def test_a_failure_is_one_of_the_errors_that_the_sync_knows(
    world: World, failure: Failure, ask: Callable[[World, SkolonUser], Any]
) -> None:
    """P7: what is away is waited for, as long as it asks for; what an administrator has to mend halts."""
    user = user_of(world)
    world.fail(failure)
    with pytest.raises((TransientError, HaltError)) as caught:
        ask(world, user)
    error = caught.value
    if isinstance(error, TransientError):
        assert failure in (Failure.AWAY, Failure.THROTTLED)
        assert error.dependency is Dependency.SKOLON
        assert error.retry_after == (7.0 if failure is Failure.THROTTLED else None)
    else:
        causes = {
            Failure.CREDENTIALS: Cause.SKOLON_CREDENTIALS,
            Failure.PERMISSION: Cause.SKOLON_PERMISSION,
        }
        assert isinstance(error, HaltError)
        assert error.cause is causes[failure]
    assert world.values("user-1") == values(1)


@pytest.mark.parametrize(("status", "is_taken"), [(400, False), (409, True)])
def test_a_refused_value_is_a_matter_of_its_user(world: World, status: int, *, is_taken: bool) -> None:
    """P7: the user becomes a dead letter, or one of its attributes does; the next user is updated."""
    world.refuse("user-1", status)
    with pytest.raises(PermanentError) as caught:
        world.client.update("exempel", user_of(world), CHANGES)
    error = caught.value
    assert isinstance(error, RejectedError)
    assert (error.reason, error.stage) == (Reason.REJECTED_BY_SKOLON, Stage.UPDATE)
    assert (error.concerns_values, error.is_taken) == (True, is_taken)
    assert "kommun.example" not in str(error)
    world.client.update("exempel", user_of(world, 2), {Attribute.FIRST_NAME: "Ny"})
    assert user_of(world, 2).attributes[Attribute.FIRST_NAME] == "Ny"


def test_a_check_proves_it(world: World) -> None:
    """`tenants check` needs nothing but the interface; what is forgotten is found out again."""
    for _ in range(2):
        steps = list(check_skolon(world.client.read_only(), tenant()))
        assert {step.severity for step in steps} <= {Severity.OK, Severity.SKIPPED}
        assert isinstance(world.client.capabilities("exempel"), Capabilities)
        world.client.forget_capabilities("exempel")
    assert ids(world, {Attribute.EXTERNAL_ID: "entra-1"}) == ["user-1"]
