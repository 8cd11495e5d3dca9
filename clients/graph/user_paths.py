"""The paths of users below Graph's `/v1.0`: one user by id, or users by the values of properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from schemas.users.attributes import EXTENSION_ATTRIBUTES, EXTENSION_ATTRIBUTES_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Graph takes at most 15 terms in one filter.
MAX_TERMS: Final = 15

#: Graph's advanced queries need it, beside a header (Graph, "Advanced query capabilities").
COUNT: Final = "$count=true&"


def selected_names(select: Sequence[str]) -> str:
    """Return the value of `$select`, with the id."""
    return ",".join(dict.fromkeys(["id", *select]))


def user_path(user_id: str, selected: str) -> str:
    """Return the path of one user."""
    return f"/users/{quote(user_id, safe='')}?$select={selected}"


def search_paths(conditions: Sequence[tuple[str, str]], selected: str) -> Iterator[str]:
    """Yield the paths of the users that meet any of the conditions, each a property and its value.

    They have values in them, so they belong into the body of a batch, and into no URL (promise P6).
    """
    for start in range(0, len(conditions), MAX_TERMS):
        some = conditions[start : start + MAX_TERMS]
        terms = " or ".join(_term(name, value) for name, value in some)
        count = COUNT if any(name in EXTENSION_ATTRIBUTES for name, _ in some) else ""
        yield f"/users?{count}$filter={quote(terms, safe='')}&$select={selected}"


def _term(name: str, value: str) -> str:
    # OData doubles an apostrophe (OData 4.01, URL conventions, section 5.1.1.14.1).
    text = "'" + value.replace("'", "''") + "'"
    if name == "otherMails":
        return f"otherMails/any(o:o eq {text})"
    if name in EXTENSION_ATTRIBUTES:
        return f"{EXTENSION_ATTRIBUTES_PROPERTY}/{name} eq {text}"
    return f"{name} eq {text}"
