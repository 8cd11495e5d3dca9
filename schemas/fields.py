"""Marshmallow fields that take the JSON type they name and nothing that merely looks like it."""

from __future__ import annotations

import math
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError, fields, missing, validate

from schemas.words import unknown_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from enum import StrEnum

#: A GUID as Entra writes object ids: 8-4-4-4-12 hexadecimal digits.
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")

#: Says what to do and repeats nothing: what was given instead may be a user's name.
NO_OBJECT_ID: Final = "Not an Entra object id (a GUID); a user principal name or an e-mail address is none."


def is_object_id(value: object) -> bool:
    """Say whether `value` is the object id of a user in Entra as a command or a message may name it."""
    return isinstance(value, str) and _GUID.match(value) is not None


class ObjectId(fields.String):
    """The object id of a user in Entra, a GUID; in lower case, as Graph gives it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Regexp(_GUID, error=NO_OBJECT_ID), **kwargs)

    def _deserialize(
        self,
        value: Any,
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,
    ) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).lower()


class StrictBoolean(fields.Boolean):
    """JSON `true` or `false`; not 1, "yes" or "on"."""

    def _deserialize(
        self,
        value: Any,
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return bool(super()._deserialize(value, attr, data, **kwargs))


class Word(fields.Enum[Any]):
    """A member of an enumeration by its value, one of `allowed` if these are given.

    A fault names the word and the nearest one that is allowed.
    """

    def __init__(self, enum: type[StrEnum], *, allowed: Sequence[StrEnum] = (), **options: Any) -> None:
        """Take marshmallow's other options too, but for `by_value`."""
        super().__init__(enum, by_value=True, **options)
        self._allowed = tuple(allowed) or tuple(enum)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> StrEnum:
        try:
            member: StrEnum | None = super()._deserialize(value, attr, data, **kwargs)
        except ValidationError:
            member = None
        if member is None or member not in self._allowed:
            raise ValidationError(unknown_word(value, self._allowed))
        return member


class Text(fields.String):
    """A text of `shortest` to `longest` signs; what is one is taken as it is, without marshmallow's steps.

    Answers hold little else, and the steps take ten times as long.
    """

    def __init__(self, *, shortest: int | None = None, longest: int | None = None, **options: Any) -> None:
        """Take marshmallow's other options too, but for `validate`."""
        limits = [] if shortest is longest is None else [validate.Length(min=shortest, max=longest)]
        super().__init__(validate=limits, **options)
        self._shortest = shortest or 0
        self._longest = math.inf if longest is None else longest

    def takes(self, value: object) -> bool:
        """Say whether a value is taken as it is."""
        if value is None:
            return self.allow_none
        return type(value) is str and self._shortest <= len(value) <= self._longest

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """Return the text, or raise as marshmallow's field does."""
        if self.takes(value):
            return value
        if value is missing is self.load_default and not self.required:
            return missing
        return super().deserialize(value, attr, data, **kwargs)


class TextsObject(fields.Nested):
    """An object of texts and raw values that may all be missing and null; taken as `Text` is, if it can be.

    A user of SCIM has seven of them, and is read in half the time. What is not right goes through
    marshmallow's steps, and fails there.
    """

    @cached_property
    def _places(self) -> tuple[tuple[str, str, Text | None], ...]:
        """Return of each field its name in the data and in the result, and the field if it is a text."""
        places = []
        for name, field in self.schema.fields.items():
            may_lack = field.allow_none and not field.required and field.load_default is missing
            if not may_lack or not isinstance(field, Text | fields.Raw):
                raise TypeError(f"{name} needs marshmallow's steps.")
            places.append((field.data_key or name, name, field if isinstance(field, Text) else None))
        return tuple(places)

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """Return the object, or raise as marshmallow's field does."""
        taken = self._taken(value) if type(value) is dict else None
        return super().deserialize(value, attr, data, **kwargs) if taken is None else taken

    def _taken(self, value: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what the fields take of an object; None if one of them does not take its value as it is."""
        taken = {}
        for name, attribute, text in self._places:
            found = value.get(name, missing)
            if found is missing:
                continue
            if found is not None and text is not None and not text.takes(found):
                return None
            taken[attribute] = found
        return taken
