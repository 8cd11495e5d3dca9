"""Applies a SCIM PATCH (RFC 7644 section 3.5.2), as far as a sync sends it."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A path: an optional extension, an attribute, an optional filter of entries, an optional sub-attribute.
_PATH: Final = re.compile(
    r'(?:(?P<extension>urn:.+):)?(?P<name>\w+)(?:\[type eq "(?P<type>\w+)"\])?(?:\.(?P<part>\w+))?'
)


def patched(user: dict[str, Any], operations: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the user with the operations applied. Raises ValueError for an unsupported operation."""
    changed = copy.deepcopy(user)
    for operation in operations:
        path = _PATH.fullmatch(operation["path"])
        if path is None:
            raise ValueError("a path of another form")
        holder = changed.setdefault(path["extension"], {}) if path["extension"] else changed
        if path["type"] is None:
            _in_attribute(holder, path["name"], path["part"], operation)
        else:
            _in_entry(holder, path["name"], path["type"], path["part"], operation)
    return changed


def _in_attribute(holder: dict[str, Any], name: str, part: str | None, operation: dict[str, Any]) -> None:
    if part is not None:
        holder, name = holder.setdefault(name, {}), part
    if operation["op"] == "remove":
        holder.pop(name, None)
    elif operation["op"] == "add" and isinstance(holder.get(name), list):
        holder[name] += operation["value"]
    else:
        holder[name] = operation["value"]


def _in_entry(
    holder: dict[str, Any], name: str, kind: str, part: str | None, operation: dict[str, Any]
) -> None:
    entry = next(entry for entry in holder[name] if entry["type"] == kind)
    if part is None:
        holder[name].remove(entry)
    elif operation["op"] == "remove":
        entry.pop(part, None)
    else:
        entry[part] = operation["value"]
