"""What a process remembers of each organisation's server, and shares with the other processes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import pytest

from clients.skolon.server.capabilities import (
    CLOCK_SKEW,
    TTL,
    Capabilities,
    PatchForm,
    SearchMethod,
    dump_capabilities,
)
from clients.skolon.server.capability_cache import REREAD, CapabilityCache
from schemas.capability_finding import CapabilityFinding
from schemas.errors import Dependency, TransientError
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
KNOWN = {
    "method": SearchMethod.GET,
    "takes_or": False,
    "knows_versions": False,
    "max_terms": 16,
    "tried_keys": frozenset({Attribute.EPPN}),
}
FURTHER = {
    "patch_forms": {"add entry": PatchForm.LISTS},
    "unaccepted": frozenset({Attribute.SSN}),
    "read_only": frozenset({Attribute.USER_NAME, Attribute.EPPN}),
}


@dataclass
class Store:
    """A store whose clock the test turns; it counts what is asked of it, and may be away."""

    now: float = 0.0
    is_away: bool = False
    kept: dict[str, dict[str, CapabilityFinding]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def _note(self, what: str) -> None:
        self.seen.append(what)
        if self.is_away:
            raise TransientError(Dependency.DATABASE, "nothing listens")

    def load(self, organisation: str) -> Mapping[str, CapabilityFinding]:
        self._note("load")
        return self.kept.get(organisation, {})

    def record(self, organisation: str, found: Mapping[str, Any]) -> None:
        self._note("record")
        for name, value in found.items():
            finding = CapabilityFinding(value=value, found_at=self.moment())
            self.kept.setdefault(organisation, {})[name] = finding

    def forget(self, organisation: str, names: Collection[str] = ()) -> None:
        self._note("forget")
        for name in names or list(self.kept.get(organisation, {})):
            self.kept.get(organisation, {}).pop(name, None)

    def moment(self) -> dt.datetime:
        return BEGIN + dt.timedelta(seconds=self.now)

    def process(self) -> CapabilityCache:
        """Return the cache of one more process."""
        return CapabilityCache(self, clock=lambda: self.now, wall_clock=self.moment)


@pytest.fixture
def store() -> Store:
    return Store()


def test_each_capability_is_kept_as_json_and_read_back(store: Store) -> None:
    """What one process finds out another one knows, whatever the field."""
    found: dict[str, Any] = {
        each.name: {**KNOWN, **FURTHER}.get(each.name, not each.default) for each in fields(Capabilities)
    }
    store.process().record("exempel", **found)
    assert store.process().get("exempel") == Capabilities(**found)
    assert store.process().get("annan") == Capabilities()
    assert dump_capabilities({"some": frozenset({"b", "a"})}) == {"some": ["a", "b"]}


def test_what_is_known_costs_no_query(store: Store) -> None:
    """The store is read once in a while, and written when something is found out."""
    cache = store.process()
    for _ in range(5):
        cache.record("exempel", method=SearchMethod.POST)
        cache.record("exempel", knows_versions=True)
        assert cache.get("exempel").method is SearchMethod.POST
    assert store.seen == ["load", "record"]
    store.now = REREAD
    assert cache.get("exempel").method is SearchMethod.POST
    assert store.seen == ["load", "record", "load"]


def test_a_finding_is_valid_for_a_while_from_when_it_was_found(store: Store) -> None:
    """A process that reads a finding late does not believe it for longer."""
    early = store.process()
    early.record("exempel", method=SearchMethod.GET)
    store.now = TTL - 1
    late = store.process()
    assert [each.get("exempel").method for each in (early, late)] == [SearchMethod.GET] * 2
    store.now = TTL
    assert [each.get("exempel").method for each in (early, late)] == [None] * 2


def test_what_is_found_out_later_does_not_refresh_the_rest(store: Store) -> None:
    """Each capability has its own time."""
    cache = store.process()
    cache.record("exempel", method=SearchMethod.GET)
    store.now = TTL - 1
    cache.record("exempel", takes_or=True)
    store.now = TTL
    assert cache.get("exempel") == Capabilities(takes_or=True)


def test_what_one_process_forgets_all_forget(store: Store) -> None:
    """An operator's process forgets; the others learn of it when they read the store again."""
    worker, command = store.process(), store.process()
    worker.record("exempel", takes_or=True)
    command.forget("exempel")
    assert command.get("exempel") == Capabilities()
    store.now = REREAD
    assert worker.get("exempel") == Capabilities()


def test_a_store_that_is_away_is_done_without(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A process goes on with what it finds out itself, and does not ask again for a while."""
    store.is_away = True
    cache = store.process()
    for organisation in ("exempel", "annan"):
        assert cache.get(organisation) == Capabilities()
        cache.record(organisation, takes_or=True)
        assert cache.get(organisation).takes_or is True
    cache.forget("annan")
    assert store.seen == ["load"]
    assert "capabilities_not_stored" in capsys.readouterr().out
    store.is_away = False
    store.now = REREAD
    assert cache.get("exempel") == Capabilities()  # the store is what all processes go by
    assert store.seen == ["load", "load"]


@pytest.mark.parametrize("value", [None, 1, "true", [True], {}])
def test_a_value_that_is_none_of_the_field_is_left_out(store: Store, value: object) -> None:
    """What another version has stored, or a hand, is found out again."""
    store.kept["exempel"] = {
        name: CapabilityFinding(value=value, found_at=BEGIN)
        for name in ("takes_or", "method", "of_another_version")
    }
    assert store.process().get("exempel") == Capabilities()


def test_a_finding_from_the_future_is_not_believed(store: Store) -> None:
    """A clock that was wrong would keep it for ever; clocks that differ a little do no harm."""
    for ahead, expected in ((CLOCK_SKEW, True), (CLOCK_SKEW + 1, None)):
        found_at = BEGIN + dt.timedelta(seconds=ahead)
        store.kept["exempel"] = {"takes_or": CapabilityFinding(value=True, found_at=found_at)}
        assert store.process().get("exempel").takes_or is expected
