"""Any JSON at all, with a marker in it that must never be told on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from schemas.errors import PermanentError

#: Occurs in no source text and in no key, only in values.
MARKER: Final = "ŻŻhemligtŻŻ"

TEXTS: Final = st.text(max_size=10) | st.just(MARKER) | st.text(max_size=5).map(lambda text: MARKER + text)

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def objects(*names: str) -> st.SearchStrategy[Any]:
    """Give anything, most often objects with some of the names and with values of any type."""
    values = JSON | st.sampled_from(["", " ", "a", "full", "1.0", [], {}, ["a", None], True, 0])
    return st.dictionaries(st.sampled_from(names), values) | JSON


def refusal(error: PermanentError) -> str:
    """Return all that the refusal could tell."""
    return f"{error!r} {error.__dict__}"
