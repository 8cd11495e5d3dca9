"""What a run wrote to somebody: known again without being kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.runs.before_image import ChangeRecord, load_change_record
from schemas.users.attributes import Attribute

TEXTS = st.none() | st.text(max_size=30)
VALUES = st.dictionaries(st.sampled_from(list(Attribute)), TEXTS)


@given(held=VALUES, new=VALUES)
def test_what_was_written_is_known_again(
    held: dict[Attribute, str | None], new: dict[Attribute, str | None]
) -> None:
    """Sealed and opened again, it tells the old values, and of each value whether it was written."""
    written = load_change_record(json.loads(json.dumps(ChangeRecord().extended(held, new).as_json())))
    assert written.before_image == held
    for attribute in held.keys() & new.keys():
        assert written.wrote(attribute, new[attribute])
        assert not written.wrote(attribute, f"{new[attribute]}x")
    assert not any(written.wrote(attribute, None) for attribute in Attribute if attribute not in held)


def test_new_values_are_not_kept() -> None:
    """P6: what was written is there as a trace alone, and two people's traces of one value differ."""
    noted = [
        ChangeRecord().extended({Attribute.CITY: "Lund"}, {Attribute.CITY: "Hemligstad"}).as_json()
        for _ in range(2)
    ]
    assert "Hemligstad" not in json.dumps(noted)
    assert noted[0]["new"] != noted[1]["new"]


@pytest.mark.parametrize(
    ("attribute", "written", "held", "same"),
    [
        (Attribute.EPPN, "Anna@Skola.example", "anna@skola.example", True),
        (Attribute.IDP_IDENTIFIER, "Anna@Skola.example", "anna@skola.example", False),
        (Attribute.CITY, None, None, True),
        (Attribute.CITY, None, "Lund", False),
        (Attribute.CITY, "Lund", None, False),
        (Attribute.CITY, "half a pair \ud800", "half a pair \ud800", True),
    ],
)
def test_values_are_compared_as_everywhere(
    attribute: Attribute,
    written: str | None,
    held: str | None,
    same: bool,  # noqa: FBT001 - one column of the table
) -> None:
    """An EPPN is the same in another case, everything else to the letter, and blank is blank."""
    assert ChangeRecord().extended({attribute: "before"}, {attribute: written}).wrote(attribute, held) is same


def test_a_second_delivery_keeps_the_first_old_value() -> None:
    """P4: what it finds was written by the first one, so it is no value from before."""
    first = ChangeRecord().extended({Attribute.CITY: "Lund"}, {Attribute.CITY: "Malmö"})
    second = first.extended({Attribute.CITY: "Malmö"}, {Attribute.CITY: "Ystad"})
    assert second.before_image == {Attribute.CITY: "Lund"}
    # The second worker may have died before it wrote.
    assert second.wrote(Attribute.CITY, "Malmö")
    assert second.wrote(Attribute.CITY, "Ystad")


def test_a_second_delivery_finds_another_ones_value() -> None:
    """What somebody else wrote between two deliveries is the value from before: an undo gives that back."""
    first = ChangeRecord().extended({Attribute.CITY: "Lund"}, {Attribute.CITY: "Malmö"})
    second = first.extended({Attribute.CITY: "Kiruna"}, {Attribute.CITY: "Ystad"})
    assert second.before_image == {Attribute.CITY: "Kiruna"}
    assert second.wrote(Attribute.CITY, "Ystad")
    # That one is gone: whoever writes it now is not this run.
    assert not second.wrote(Attribute.CITY, "Malmö")


def test_a_refused_value_was_never_written() -> None:
    """Row 19: an undo knows nothing of what Skolon has refused, and still all that was written."""
    record = ChangeRecord().extended(
        {Attribute.CITY: "Lund", Attribute.LAST_NAME: "Ny"},
        {Attribute.CITY: "Malmö", Attribute.LAST_NAME: "Gift"},
    )
    left = record.without({Attribute.LAST_NAME: "Gift"})
    assert left.before_image == {Attribute.CITY: "Lund"}
    assert left.wrote(Attribute.CITY, "Malmö")
    assert not left.wrote(Attribute.LAST_NAME, "Gift")
    assert left.last_written == {Attribute.CITY}


def test_a_value_of_an_earlier_delivery_stays() -> None:
    """The first worker may have written its value before it died, whatever becomes of the second one's."""
    first = ChangeRecord().extended({Attribute.CITY: "Lund"}, {Attribute.CITY: "Malmö"})
    second = first.extended({Attribute.CITY: "Malmö"}, {Attribute.CITY: None})
    left = second.without({Attribute.CITY: None})
    assert left.before_image == {Attribute.CITY: "Lund"}
    assert left.wrote(Attribute.CITY, "Malmö")
    assert not left.wrote(Attribute.CITY, None)
