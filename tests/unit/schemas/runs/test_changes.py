"""How attributes change, kept and counted without their values."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from schemas.runs.changes import (
    ChangeCounts,
    ChangeKind,
    change_kind,
    change_kinds,
    changes_identity,
    count_changes,
    format_changes,
    guard_counts,
    parse_changes,
    reverted_kinds,
)
from schemas.users.attributes import Attribute

VALUES: Final = st.none() | st.sampled_from(["hemligt", "Hemligt", "x"])
HELD: Final = st.dictionaries(st.sampled_from(list(Attribute)), VALUES)
KINDS: Final = st.dictionaries(st.sampled_from(list(Attribute)), st.sampled_from(list(ChangeKind)))


def test_what_a_change_does_has_three_words() -> None:
    """Out of nothing an attribute is filled, into nothing erased, and else changed."""
    assert change_kind(None, "a") is ChangeKind.FILLED
    assert change_kind("a", None) is ChangeKind.ERASED
    assert change_kind("a", "b") is ChangeKind.CHANGED


@given(old=HELD, data=st.data())
def test_the_guard_counts_the_same_people(old: dict[Attribute, str | None], data: st.DataObject) -> None:
    """Whose identity changes is said by the kinds as the guard says it by the old values."""
    new = {attribute: data.draw(VALUES) for attribute in old}
    assert changes_identity(change_kinds(old, new)) == bool(guard_counts(old).identity_changed)


@given(kinds=KINDS)
def test_changes_are_kept_as_text(kinds: dict[Attribute, ChangeKind]) -> None:
    """The text gives the same changes back, whatever their order was; no change is no text."""
    text = format_changes(kinds)
    assert parse_changes(text) == kinds
    assert text == format_changes(dict(reversed(kinds.items())))
    assert (text is None) == (not kinds)


@given(held=HELD)
def test_the_text_holds_no_value(held: dict[Attribute, str | None]) -> None:
    """P6: what is kept of a change names attributes, and never what they were or became."""
    assert "hemligt" not in (format_changes(change_kinds(held, {})) or "").lower()


@given(people=st.lists(st.tuples(KINDS, st.integers(1, 5)), max_size=6))
def test_sums_count_each_person_once_in_each_attribute(
    people: list[tuple[dict[Attribute, ChangeKind], int]],
) -> None:
    """Groups of people who change alike add up as if each of them had been counted alone."""
    one_by_one = [(kinds, 1) for kinds, count in people for _ in range(count)]
    sums = count_changes(people)
    assert sums == count_changes(one_by_one)
    assert sums.users == len(one_by_one)
    assert sums.identity <= sums.users


def test_sums_for_programs_name_what_changes_alone() -> None:
    """Each attribute that changes has all three counts, and whether it is part of an identity."""
    sums = ChangeCounts(attributes={Attribute.EPPN: {ChangeKind.FILLED: 2}, Attribute.CITY: {}})
    assert list(sums.as_json()) == ["city", "eppn"]
    assert sums.as_json()["eppn"] == {"filled": 2, "changed": 0, "erased": 0, "identity": True}
    assert sums.as_json()["city"]["identity"] is False


@given(kinds=KINDS)
def test_an_undo_of_an_undo_is_the_change(kinds: dict[Attribute, ChangeKind]) -> None:
    """What was filled is emptied, and the other way round."""
    assert reverted_kinds(reverted_kinds(kinds)) == kinds
    assert reverted_kinds({Attribute.EPPN: ChangeKind.FILLED}) == {Attribute.EPPN: ChangeKind.ERASED}
