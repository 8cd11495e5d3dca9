"""What an administrator or operator reads about a problem: what happened, who must act, and how.

In Swedish, for administrators of a municipality's directory, and in English; without any user's values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Language(StrEnum):
    """The languages there are (ISO 639-1)."""

    SWEDISH = "sv"
    ENGLISH = "en"


class Owner(StrEnum):
    """Who can fix it."""

    ENTRA = "entra"
    SKOLON = "skolon"
    #: The tenant's administrator: decides about matches, answers the guard, and keeps the settings.
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class RemedyText:
    """What happened, and how to fix it, in one language."""

    what_happened: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """Who must act, and the texts in each language."""

    owner: Owner
    texts: Mapping[Language, RemedyText]


def remedy(owner: Owner, swedish: tuple[str, str], english: tuple[str, str]) -> Remedy:
    """Return a remedy; each text is what happened, and how to fix it."""
    texts = {
        Language.SWEDISH: RemedyText(what_happened=swedish[0], fix=swedish[1]),
        Language.ENGLISH: RemedyText(what_happened=english[0], fix=english[1]),
    }
    return Remedy(owner=owner, texts=MappingProxyType(texts))
