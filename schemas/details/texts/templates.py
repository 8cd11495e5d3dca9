"""The sentence of every kind of detail, in every language."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schemas.details.texts.answers import ANSWER_TEXTS
from schemas.details.texts.checks import CHECK_TEXTS
from schemas.details.texts.failures import FAILURE_TEXTS
from schemas.details.texts.fixes import FIX_TEXTS
from schemas.details.texts.halts import HALT_TEXTS
from schemas.details.texts.messages import MESSAGE_TEXTS
from schemas.details.texts.runs import RUN_TEXTS
from schemas.details.texts.users import USER_TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.details.kinds import DetailKind
    from schemas.details.template import Template

TEMPLATES: Final[Mapping[DetailKind, Template]] = MappingProxyType(
    {
        **ANSWER_TEXTS,
        **CHECK_TEXTS,
        **FAILURE_TEXTS,
        **FIX_TEXTS,
        **HALT_TEXTS,
        **MESSAGE_TEXTS,
        **RUN_TEXTS,
        **USER_TEXTS,
    }
)
