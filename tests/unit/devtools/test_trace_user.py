"""What `devtools.trace_user` counts, and what not."""

from __future__ import annotations

import pytest

from devtools.trace_user import Trace, table, tracing
from schemas.users.attributes import Attribute
from schemas.users.skolon_user import SkolonUser
from workers.rules.diff import difference, kept_blanks


def test_functions_of_the_product_count_by_file_and_each_once() -> None:
    user = SkolonUser(id="1", attributes={Attribute.CITY: "Malmö"}, version=None)
    with tracing() as trace:
        for _ in range(2):
            difference(user, {Attribute.CITY: "Lund", Attribute.ADDRESS: None}, ())
            kept_blanks(user, {Attribute.CITY: None}, ())
    names = {name for _, name in trace.functions}
    assert names == {"difference", "kept_blanks", "values_match"}
    assert trace.files == {"workers/rules/diff.py", "schemas/users/attributes.py"}
    assert trace.deepest == (
        ("workers/rules/diff.py", "difference"),
        ("schemas/users/attributes.py", "values_match"),
    )


def test_the_trace_ends_with_the_block_whatever_is_raised() -> None:
    user = SkolonUser(id="1", attributes={}, version=None)
    with pytest.raises(KeyError), tracing() as trace:
        raise KeyError
    difference(user, {}, ())
    assert trace == Trace()


def test_the_table_has_a_line_of_medians_for_each_outcome() -> None:
    place = ("a.py", "f")
    small = Trace(functions={place}, deepest=(place,))
    large = Trace(functions={place, ("b.py", "g")}, deepest=(place, place))
    text = table({"updated": [large, small, small], "unchanged": [large]})
    assert [line.split() for line in text.splitlines()] == [
        ["outcome", "users", "files", "functions", "frames"],
        ["unchanged", "1", "2", "2", "2"],
        ["updated", "3", "1", "1", "1"],
    ]
