"""Two Entra users that claim one Skolon user, and the sentence that says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SENTENCE: Final = "Entra users {holder} and {other} claim Skolon user {skolon_id}; the first one keeps it"
_READ: Final = re.compile(
    re.escape(_SENTENCE)
    .replace(r"\{holder\}", r"(?P<holder>\S+)")
    .replace(r"\{other\}", r"(?P<other>\S+)")
    .replace(r"\{skolon_id\}", r"(?P<skolon_id>.+)")
)


@dataclass(frozen=True, kw_only=True)
class Collision:
    """Two Entra users that claim one Skolon user; `holder` keeps it."""

    holder: str
    other: str
    skolon_id: str

    def __str__(self) -> str:
        """Say it."""
        return _SENTENCE.format(holder=self.holder, other=self.other, skolon_id=self.skolon_id)


def parse_collision(detail: str) -> Collision | None:
    """Return what the sentence says, None if it is another one."""
    found = _READ.fullmatch(detail)
    return None if found is None else Collision(**found.groupdict())
