"""Tokens for the Data Hub's API: made and ended by those who act for a tenant, shown once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from administration.hub.tokens import hash_token, new_token
from schemas.errors import UsageError
from schemas.hub.session import AuditKind
from schemas.safe_text import is_storable

if TYPE_CHECKING:
    from schemas.hub.api_token import ApiToken
    from schemas.hub.member import Member
    from store.store import Store

#: Characters of what a token is for.
MAX_LABEL: Final = 100

#: Tokens of one tenant, so that no program fills the table.
MAX_TOKENS: Final = 50

#: What each token begins with, so that programs that look for secrets in files find it.
_PREFIX: Final = "sus_"


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token that was just made, with its secret, which is shown once and stored nowhere."""

    token: ApiToken
    secret: str


def make_token(tenant: str, label: str, member: Member, *, may_act: bool = False, store: Store) -> NewToken:
    """Make a token of a tenant, which reads, or also acts if it `may_act`.

    Raises `UsageError` for a label that is none or another token's, or if there are too many.
    """
    label = label.strip()
    if not 0 < len(label) <= MAX_LABEL or not label.isprintable() or not is_storable(label):
        raise UsageError(f"What a token is for has 1 to {MAX_LABEL} characters, all of them printable.")
    others = store.hub_api_tokens.list(tenant)
    if any(each.label.casefold() == label.casefold() for each in others):
        raise UsageError("Another token is for that: say what tells the two apart.")
    if len(others) >= MAX_TOKENS:
        raise UsageError(f"There are {MAX_TOKENS} tokens: end one first.")
    secret = _PREFIX + new_token()
    token = store.hub_api_tokens.add(hash_token(secret), tenant, label, member.id, may_act=may_act)
    store.hub_audit.record(AuditKind.TOKEN_MADE, member=member.id, token=token.id, tenant=tenant)
    return NewToken(token=token, secret=secret)


def end_token(tenant: str, token: int, member: Member, *, store: Store) -> bool:
    """End a token of a tenant at once; True if the tenant had it."""
    ended = store.hub_api_tokens.remove(tenant, token)
    if ended:
        store.hub_audit.record(AuditKind.TOKEN_ENDED, member=member.id, token=token, tenant=tenant)
    return ended


def token_of(secret: str, *, store: Store) -> ApiToken | None:
    """Return the token that a program sends, None if there is none; any text may be given."""
    return store.hub_api_tokens.use(hash_token(secret)) if secret.startswith(_PREFIX) else None
