"""Which reasons to leave a user out may mark a protected identity: who has one stands in no list (P6)."""

from __future__ import annotations

from typing import Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind

#: What leaves a user out and says nothing of protection: the account itself, or a decision about the user.
HARMLESS_KINDS: Final = (
    DetailKind.ACCOUNT_NOT_ENABLED,
    DetailKind.ACCOUNT_NOT_MEMBER,
    DetailKind.IGNORED_BY_DECISION,
    DetailKind.NO_LONGER_IN_ENTRA,
)


def may_protect(reason: str | None) -> bool:
    """Say whether a user who is left out for a reason may be protected: by a rule, by Skolon, or unsaid."""
    if not isinstance(reason, Detail):
        return True
    fact = reason.parameters.get("fact") if reason.kind is DetailKind.EXCLUDED else reason
    return not isinstance(fact, Detail) or fact.kind not in HARMLESS_KINDS
