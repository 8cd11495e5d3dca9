"""What is wrong with the fields of what another program sent, as a detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.details.detail import Detail, as_detail, joined
from schemas.details.kinds import DetailKind
from schemas.validation import flatten_errors

if TYPE_CHECKING:
    from collections.abc import Mapping


def field_details(messages: Mapping[Any, Any] | list[Any] | str) -> Detail:
    """Return marshmallow's messages as a detail: each names the field, and never the value (promise P6)."""
    return joined(
        Detail(DetailKind.INVALID_FIELD, field=".".join(fault.path), message=fault.message)
        if fault.path
        else as_detail(fault.message)
        for fault in flatten_errors(messages)
    )
