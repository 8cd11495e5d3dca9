"""The table of foreign exceptions."""

from __future__ import annotations

import inspect

import pytest
from requests import exceptions

from clients.http.errors import TRANSPORT_ERRORS, TRANSPORT_FAILURES, classify

PUBLIC = [
    kind
    for name, kind in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(kind, exceptions.RequestException) and not name.startswith("_")
]


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_every_exception_has_a_place(kind: type[Exception]) -> None:
    """Each public exception of requests has a row of its own, so a new one is noticed."""
    assert kind in TRANSPORT_FAILURES


def test_table_is_not_empty() -> None:
    """The test above looks at something."""
    assert len(PUBLIC) > 20


@pytest.mark.parametrize("kind", [*TRANSPORT_ERRORS, ConnectionResetError, UnicodeEncodeError])
def test_nearest_ancestor_counts(kind: type[Exception]) -> None:
    """Whatever is caught around a request has a row, its own or its ancestor's."""
    nearest = next(ancestor for ancestor in kind.__mro__ if ancestor in TRANSPORT_FAILURES)
    assert classify(kind.__new__(kind)) is TRANSPORT_FAILURES[nearest]
