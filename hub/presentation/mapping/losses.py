"""What users would lose by a mapping, attribute by attribute, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import format_decimal, gettext

from hub.language import current_language
from schemas.details.names import ATTRIBUTE_NAMES
from schemas.runs.totals.mapping_comparison import MappingEffect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.runs.totals.mapping_comparison import AttributeMapping
    from schemas.users.attributes import Attribute


@dataclass(frozen=True, kw_only=True)
class Loss:
    """An attribute that is no longer synced for users, as a sentence; `is_most` of them, or all."""

    text: str
    is_most: bool


def losses(mapping: Mapping[Attribute, AttributeMapping]) -> list[Loss]:
    """Return what users would lose, by a mapping beside the active one."""
    names = ATTRIBUTE_NAMES[current_language()]
    return [
        Loss(text=_text(names[attribute], each), is_most=each.is_mostly_lost)
        for attribute, each in mapping.items()
        if each.effects[MappingEffect.LOST]
    ]


def _text(name: str, mapping: AttributeMapping) -> str:
    total = format_decimal(mapping.users)
    if mapping.is_lost:
        return str(
            gettext(
                "%(attribute)s: no value for %(none)s of %(total)s users. It would no longer be synced.",
                attribute=name,
                none=format_decimal(mapping.no_value),
                total=total,
            )
        )
    if mapping.effects[MappingEffect.LOST] == mapping.no_value:
        return str(
            gettext(
                "%(attribute)s: no value for %(none)s of %(total)s users. For them it would no longer be "
                "synced.",
                attribute=name,
                none=format_decimal(mapping.no_value),
                total=total,
            )
        )
    return str(
        gettext(
            "%(attribute)s: no value for %(none)s of %(total)s users, and %(lost)s of them have one with the "
            "active mapping. For them it would no longer be synced.",
            attribute=name,
            none=format_decimal(mapping.no_value),
            total=total,
            lost=format_decimal(mapping.effects[MappingEffect.LOST]),
        )
    )
