"""Writes changes as a PATCH (RFC 7644 section 3.5.2), in the form that a server takes. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from clients.skolon.server.capabilities import PatchForm
from clients.skolon.updates.documents import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clients.skolon.profiles import Profile
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class PatchBodies:
    """Writes the changes of users that are laid out as a profile says."""

    def __init__(self, profile: Profile) -> None:
        self._paths = profile.paths

    def patch(
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        forms: Mapping[Attribute, PatchForm] | None = None,
        changed: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the PATCH that makes the changes to the user as it was read; None removes a value.

        `forms` are those of attributes that are not changed by paths. What is sent as a whole is taken from
        `changed`, the document as it is after the changes.
        """
        forms = forms or {}
        whole = self._sent_whole(user, changes, forms)
        by_path = {name: value for name, value in changes.items() if self._top(name) not in whole}
        operations = [*self._by_paths(user, by_path, forms), *self._as_a_whole(whole, changed or {}, changes)]
        return {"schemas": [PATCH_OP], "Operations": operations}

    def needs_document(
        self, user: SkolonUser, changes: Mapping[Attribute, str | None], forms: Mapping[Attribute, PatchForm]
    ) -> bool:
        """Say whether the PATCH sends something as a whole, with all that the server has in it."""
        return bool(self._sent_whole(user, changes, forms))

    def kind_of_change(self, user: SkolonUser, attribute: Attribute, value: str | None) -> str:
        """Return the kind of a change: a server takes all changes of one kind in the same form, or none."""
        place = self._paths[attribute]
        if place.type is not None:
            what, is_new = "entry", (place.name, place.type) not in user.entries
        else:
            what = "attribute" if place.part is None else "part"
            what = "extension" if place.extension is not None else what
            is_new = user.attributes.get(attribute) is None
        how = "remove" if value is None else "add" if is_new else "replace"
        return f"{how} {what}"

    def _top(self, attribute: Attribute) -> str:
        """Return the name in the user's document under which an attribute is."""
        place = self._paths[attribute]
        return place.extension or place.name

    def _sent_whole(
        self, user: SkolonUser, changes: Mapping[Attribute, str | None], forms: Mapping[Attribute, PatchForm]
    ) -> dict[str, PatchForm]:
        """Return what is sent as a whole, by its name in the document, each with its form.

        A filter that matches two entries, or none, cannot name an entry. Its list is sent as a whole to every
        server.
        """
        whole: dict[str, PatchForm] = {}
        for attribute in changes:
            place, form = self._paths[attribute], forms.get(attribute, PatchForm.PATHS)
            is_list = place.type is not None
            if is_list and place.name in user.untyped_lists and form is PatchForm.PATHS:
                form = PatchForm.LISTS
            is_object = place.part is not None or place.extension is not None
            if (
                form is PatchForm.NO_PATH
                or (form is PatchForm.LISTS and is_list)
                or (form is PatchForm.OBJECTS and (is_list or is_object))
            ):
                whole[self._top(attribute)] = form
        return whole

    def _as_a_whole(
        self,
        whole: Mapping[str, PatchForm],
        changed: Mapping[str, Any],
        changes: Mapping[Attribute, str | None],
    ) -> Iterator[dict[str, Any]]:
        without_path: dict[str, Any] = {}
        for name, form in whole.items():
            key = key_of(changed, name)
            value = changed.get(key)
            if isinstance(value, dict):
                # A server may keep what an object leaves out. null says that it has no value (RFC 7643, 2.5).
                value = value | {
                    part: None
                    for attribute, new in changes.items()
                    if new is None and self._top(attribute) == name and (part := self._part(attribute))
                }
            if form is PatchForm.NO_PATH:
                without_path[key] = value
            elif value:
                yield {"op": "replace", "path": key, "value": value}
            else:
                yield {"op": "remove", "path": key}
        if without_path:
            yield {"op": "replace", "value": without_path}

    def _part(self, attribute: Attribute) -> str | None:
        place = self._paths[attribute]
        return place.name if place.extension is not None else place.part

    def _by_paths(
        self, user: SkolonUser, changes: Mapping[Attribute, str | None], forms: Mapping[Attribute, PatchForm]
    ) -> Iterator[dict[str, Any]]:
        """Yield the operations that name each attribute by its path.

        A typed entry that the user has is changed in place, whatever else it holds. One that it has not is
        added with all its parts at once, since a value filter that matches nothing is an error (`noTarget`).
        Entries of other types are not touched.
        """
        new_entries: dict[tuple[str, str], dict[str, str]] = {}
        for attribute, value in changes.items():
            place = self._paths[attribute]
            old = user.attributes.get(attribute)
            if place.type is None:
                replaces = old is not None or forms.get(attribute, PatchForm.PATHS) is not PatchForm.PATHS
                yield from _operation(place.search_path, place.search_path, old, value, replaces=replaces)
            elif type_ := user.entries.get((place.name, place.type)):
                entry = f"{place.name}[type eq {json.dumps(type_, ensure_ascii=False)}]"
                path = f"{entry}.{place.part}"
                # An e-mail address or telephone number without its value is nothing: the whole entry goes.
                removed = entry if place.part == "value" else path
                yield from _operation(path, removed, old, value, replaces=True)
            elif value is not None:
                new = new_entries.setdefault((place.name, place.type), {"type": place.type})
                new[str(place.part)] = value
        for (name, _), entry_value in new_entries.items():
            yield {"op": "add", "path": name, "value": [entry_value]}


def _operation(
    path: str, removed: str, old: str | None, new: str | None, *, replaces: bool
) -> Iterator[dict[str, Any]]:
    if new is not None:
        # In a place that is empty some servers take `add` alone; with a value filter, `replace` alone.
        yield {"op": "replace" if replaces else "add", "path": path, "value": new}
    elif old is not None:
        yield {"op": "remove", "path": removed}
