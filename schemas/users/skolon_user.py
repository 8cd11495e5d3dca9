"""A Skolon user by the attributes of the attribute table, independent of the API."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import PermanentError
from schemas.outcomes import Stage
from schemas.safe_text import is_storable
from schemas.users.attributes import values_match

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.users.attributes import Attribute


#: Characters of an id, and of a version, that receipts have room for.
MAX_ID_LENGTH: Final = 255

#: What a header can hold (RFC 9110 section 5.5).
_HEADER: Final = re.compile(rf"[\x20-\x7e]{{1,{MAX_ID_LENGTH}}}\Z")

#: They would lead a URL's path elsewhere (RFC 3986 section 5.2.4).
_PATH_SEGMENTS: Final = frozenset({".", ".."})


def is_version(text: str) -> bool:
    """Say whether a version can be sent in `If-Match`, and be kept."""
    return _HEADER.match(text) is not None


@dataclass(frozen=True, kw_only=True)
class SkolonUser:
    """One Skolon user.

    `attributes` holds all fourteen, None where Skolon has nothing. `version` is what an update has
    to be based on (HTTP's entity tag), None where Skolon gives none. `entries` are the typed entries that
    exist, such as ("emails", "work"), each with its type as Skolon spells it: they decide whether one is
    changed or added. `untyped_lists` are lists that hold several of one type, or one without a type: no type
    tells which of them is meant. `absent` are attributes that the server does not have at all. `is_protected`
    says that the user has a protected identity: it is never changed. `created` and `last_modified` are what
    the server says, whatever that is (RFC 7643 section 3.1); `schemas/timestamps.py` reads such dates.
    """

    id: str
    version: str | None
    attributes: Mapping[Attribute, str | None]
    entries: Mapping[tuple[str, str], str] = field(default_factory=dict)
    untyped_lists: frozenset[str] = frozenset()
    absent: frozenset[Attribute] = frozenset()
    is_protected: bool = False
    created: object = None
    last_modified: object = None

    @property
    def fault(self) -> Detail | None:
        """Why this user cannot be synced, whichever Entra user matches it; None if it can."""
        if len(self.id) > MAX_ID_LENGTH:
            return Detail(DetailKind.SKOLON_ID_TOO_LONG, limit=MAX_ID_LENGTH)
        if self.id in _PATH_SEGMENTS or not is_storable(self.id):
            return Detail(DetailKind.SKOLON_ID_UNUSABLE)
        if self.version is not None and not is_version(self.version):
            return Detail(DetailKind.SKOLON_VERSION_UNUSABLE, limit=MAX_ID_LENGTH)
        return None

    def lacking(self, changes: Mapping[Attribute, str | None]) -> frozenset[Attribute]:
        """Return the changes that the user does not show as they were written."""
        return frozenset(
            attribute
            for attribute, value in changes.items()
            if not values_match(attribute, self.attributes.get(attribute), value)
        )


def ensure_usable(user: SkolonUser) -> SkolonUser:
    """Return a user that can be synced, or raise `PermanentError` (`rejected_by_skolon`)."""
    if user.fault is not None:
        detail = Detail(DetailKind.UNUSABLE_SKOLON_USER, why=user.fault)
        raise PermanentError(Reason.REJECTED_BY_SKOLON, Stage.MATCH, detail)
    return user
