"""Prints what the data-quality report finds about sign-in by QR codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.runs.sign_in import IMMUTABLE_ID, ValueMatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.reports.sign_in import SignInFindings, ValueMatches
    from schemas.runs.sign_in import SignInMatch

_INDENT: Final = "  "

_MATCHES: Final = {
    ValueMatch.EXACT: "equal",
    ValueMatch.CASE_DIFFERS: "in other capital or small letters",
    ValueMatch.DIFFERENT: "different",
    ValueMatch.BLANK_IN_ENTRA: "blank in Entra",
}


def sign_in_lines(found: SignInFindings, *, tenant: str, uses_immutable_id: bool) -> Iterator[str]:
    """Yield the lines about sign-in by QR codes; `uses_immutable_id` of the tenant's Idp identifier."""
    yield "Sign-in by QR codes needs values in Skolon that equal Entra's to the letter:"
    yield f"{_INDENT}E-mail and mail: {_shares(found.email, tenant)}"
    yield f"{_INDENT}Idp identifier and {IMMUTABLE_ID}: {_shares(found.idp_identifier, tenant)}"
    yield f"{_INDENT}People who would be locked out: {found.locked_out}"
    for user, match in found.users:
        yield f"{_INDENT * 2}{user}"
        yield f"{_INDENT * 3}{_described(match)}"
    if found.locked_out > len(found.users):
        yield f"{_INDENT * 2}… and {found.locked_out - len(found.users)} more; --limit shows them."
    yield f"{_INDENT}People who could not be judged: {_not_judged(found)}"
    yield from _change_lines(found.idp_identifier, tenant, uses_immutable_id=uses_immutable_id)


def _not_judged(found: SignInFindings) -> str:
    """Return how many users were not compared, and why not."""
    reasons = ", ".join(f"{users} {why}" for why, users in sorted(found.not_judged.items()))
    return f"{sum(found.not_judged.values())}{f' ({reasons})' if reasons else ''}"


def _change_lines(found: ValueMatches, tenant: str, *, uses_immutable_id: bool) -> Iterator[str]:
    """Yield what a change of the source would do."""
    exact = found.count(ValueMatch.EXACT)
    if uses_immutable_id:
        yield f"{_INDENT}Another source of the Idp identifier would lock out {exact} people."
        return
    others = found.count(ValueMatch.CASE_DIFFERS) + found.count(ValueMatch.DIFFERENT)
    blank = found.count(ValueMatch.BLANK_IN_ENTRA)
    yield (
        f"{_INDENT}With {IMMUTABLE_ID} as its source, {others} people would get another Idp identifier, "
        f"{exact} keep theirs, and {blank} have none in Entra."
    )
    yield f"{_INDENT}'tenants preview {tenant} --set idp_identifier={IMMUTABLE_ID}' tries it."


def _shares(found: ValueMatches, tenant: str) -> str:
    share = found.exact_share
    if share is None:
        return f"not known; 'trigger {tenant} --recheck-all' compares them"
    kinds = ", ".join(f"{found.count(match)} {text}" for match, text in _MATCHES.items())
    # Rounded down: 100 % means all of them.
    return f"{int(share * 1000) / 10:g} % of {found.users} people ({kinds})"


def _described(match: SignInMatch) -> str:
    values = (("e-mail", match.email), ("Idp identifier", match.idp_identifier))
    return ", ".join(
        f"{name} {_MATCHES[each]}"
        for name, each in values
        if each is not None and each is not ValueMatch.EXACT
    )
