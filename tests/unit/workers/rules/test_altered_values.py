"""Which values Skolon has altered, by what the last runs have written."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from schemas.runs.before_image import ChangeRecord
from schemas.users.attributes import Attribute
from store.changes.last_writes import LastWrites
from tests.unit.workers.factories import skolon_user
from workers.rules.kept_values import altered_values

CITY: Final = Attribute.CITY
USER: Final = replace(skolon_user(city="Lund"), version="v2")


def record(old: str, new: str) -> ChangeRecord:
    return ChangeRecord().extended({CITY: old}, {CITY: new})


def last(*records: ChangeRecord, version: str | None = "v2") -> LastWrites:
    return LastWrites(skolon_id="s1", version=version, records=records, altered=frozenset())


@pytest.mark.parametrize(
    ("known", "altered"),
    [
        (None, False),
        (last(), False),
        (last(record("Ystad", "Malmö")), True),
        (last(record("Ystad", "Malmö"), version="v1"), False),
        (last(record("Ystad", "Kiruna")), False),
        (last(record("Malmö", "Lund"), record("Ystad", "Malmö")), False),
        (last(ChangeRecord(), record("Ystad", "Malmö")), True),
        (last(record("Ystad", "Malmö"), version=None), False),
        (last(record("Ystad", "Malmö").with_shown({CITY: "Lund"}), version=None), True),
        (last(record("Ystad", "Malmö").with_shown({CITY: "Ystad"}), version=None), False),
        (last(record("Ystad", "Malmö").with_shown({CITY: "Lund"}), version="v1"), False),
    ],
)
def test_the_newest_write_of_the_same_value_to_the_same_version_tells(
    known: LastWrites | None,
    altered: bool,  # noqa: FBT001 - one column of the table
) -> None:
    """An older write, another value or another version says nothing.

    A server that had only accepted the write (202) has told no version: there what it showed tells.
    """
    assert altered_values(USER, {CITY: "Malmö"}, known) == (frozenset({CITY}) if altered else frozenset())


def test_without_a_version_nothing_is_known() -> None:
    """Another source may have replaced the value."""
    user = replace(USER, version=None)
    assert altered_values(user, {CITY: "Malmö"}, last(record("Ystad", "Malmö"))) == frozenset()
