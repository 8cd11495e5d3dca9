"""What an organisation's server can do, as a value, and how each of its capabilities is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from schemas.capability_finding import CapabilityFinding

#: Seconds for which a finding is valid. It may be wrong, and servers are upgraded and rolled back.
TTL: Final = 3600.0

#: The same for what is proven again each hour, and must outlive its proof.
LONG_TTL: Final = 30 * 86_400.0

#: Seconds by which the clocks of two machines may differ.
CLOCK_SKEW: Final = 60.0

_READ: Final = "read"
_TTL: Final = "ttl"


class SearchMethod(StrEnum):
    """The two ways to search that RFC 7644 knows."""

    #: Section 3.4.3: the filter is in the body of a POST to `/.search`.
    POST = "POST"
    #: Section 3.4.2: the filter is in the URL, which proxies and servers write to their logs.
    GET = "GET"


class PatchForm(StrEnum):
    """The forms of PATCH (RFC 7644 section 3.5.2), each for servers that do not take the ones before."""

    #: Each attribute by its path, and an entry of a list by a filter for its type.
    PATHS = "paths"
    #: Lists as a whole, with all their entries; and `replace` also where there is nothing yet.
    LISTS = "lists"
    #: Names and extensions as a whole too.
    OBJECTS = "objects"
    #: The same in one operation without a path.
    NO_PATH = "no_path"


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _positive(value: object) -> int:
    if type(value) is not int or value < 1:
        raise TypeError
    return value


def _forms(value: dict[str, str]) -> dict[str, PatchForm]:
    if not isinstance(value, dict):
        raise TypeError
    return {kind: PatchForm(form) for kind, form in value.items()}


def _attributes(value: list[str]) -> frozenset[Attribute]:
    return frozenset(map(Attribute, value))


def _kept(read: Callable[[Any], Any] = _yes_or_no, *, ttl: float = TTL) -> dict[str, Any]:
    """Return how a capability is kept, as the metadata of its field.

    `read` makes the value of what the database holds (a text, a Boolean, a number, a list, an object), and
    raises `TypeError` or `ValueError` for what it is not. `ttl` is for how many seconds a finding is valid.
    """
    return {_READ: read, _TTL: ttl}


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What is known of one organisation's server; None is not known.

    A field's default is what is assumed while nothing is found out. A field is all that a new capability
    needs: the database keeps each one by its name.

    `takes_or` says whether a filter finds what any of its terms finds (RFC 7644 section 3.4.2.2). A server
    may also look at the first term alone, without saying so. `has_odd_empty_answer` says that it answers 404,
    or an object without a total, where nothing is found. With `pages_by_cursor` it need not count what it
    finds (RFC 9865). `pages_add_up` says whether pages hold each user once. `knows_versions` says that it
    takes the versions that it gives (RFC 7644 section 3.14).

    A filter has `max_terms` terms at most; None is any number. Users that have one of `tried_keys` are found
    by it, or no listed user has it. With `dotted_extensions` a filter has a point, and not a colon, between
    the URN of an extension and the attribute (RFC 7644 section 3.10).

    `patch_forms` are the forms that have worked, by the kind of change (clients/skolon/updates/bodies.py).
    No form is known for `unaccepted` attributes, and the server has said that it never changes `read_only`
    ones (`mutability`, RFC 7644 section 3.12).
    """

    method: SearchMethod | None = field(default=None, metadata=_kept(SearchMethod))
    takes_or: bool | None = field(default=None, metadata=_kept())
    max_terms: int | None = field(default=None, metadata=_kept(_positive))
    tried_keys: frozenset[Attribute] = field(default=frozenset(), metadata=_kept(_attributes))
    dotted_extensions: bool = field(default=False, metadata=_kept(ttl=LONG_TTL))
    has_odd_empty_answer: bool = field(default=False, metadata=_kept())
    pages_by_cursor: bool = field(default=False, metadata=_kept())
    pages_add_up: bool | None = field(default=None, metadata=_kept())
    knows_versions: bool = field(default=True, metadata=_kept())
    patch_forms: Mapping[str, PatchForm] = field(default_factory=dict, metadata=_kept(_forms))
    unaccepted: frozenset[Attribute] = field(default=frozenset(), metadata=_kept(_attributes))
    read_only: frozenset[Attribute] = field(default=frozenset(), metadata=_kept(_attributes))


#: What a check finds out again. The rest is found out by updates alone.
SEARCH_CAPABILITIES: Final = frozenset(
    {
        "method",
        "takes_or",
        "max_terms",
        "tried_keys",
        "dotted_extensions",
        "has_odd_empty_answer",
        "pages_by_cursor",
        "pages_add_up",
    }
)

_METADATA: Final = {each.name: each.metadata for each in fields(Capabilities)}


def ttl_of(name: str) -> float:
    """Return for how many seconds a finding of the capability `name` is valid."""
    return float(_METADATA[name][_TTL])


def dump_capabilities(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return capabilities by name as the database keeps them; a set becomes a sorted list."""
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in found.items()}


def load_capabilities(
    findings: Mapping[str, CapabilityFinding], now: dt.datetime
) -> dict[str, tuple[Any, float]]:
    """Return the valid ones of the database's findings, each with the seconds for which it is still valid.

    What this version does not know is left out. So is a finding from the future: its clock was wrong.
    """
    valid: dict[str, tuple[Any, float]] = {}
    for name in findings.keys() & _METADATA.keys():
        age = (now - findings[name].found_at).total_seconds()
        seconds = ttl_of(name) - max(age, 0.0)
        if age < -CLOCK_SKEW or seconds <= 0:
            continue
        try:
            valid[name] = (_METADATA[name][_READ](findings[name].value), seconds)
        except (TypeError, ValueError):
            continue
    return valid
