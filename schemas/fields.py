"""Marshmallow fields that take the JSON type they name and nothing that merely looks like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields

if TYPE_CHECKING:
    from collections.abc import Mapping


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
