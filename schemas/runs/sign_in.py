"""Whether a user could sign in by Skolon's QR codes: two values must equal Entra's to the letter.

Skolon's guide to QR sign-in: a user whose e-mail or Idp identifier differs from Entra's `mail` or
`onPremisesImmutableId` is locked out, of Windows and Teams too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: The property whose value Skolon's Idp identifier must have, and the one of the e-mail.
IMMUTABLE_ID: Final = "onPremisesImmutableId"
MAIL: Final = "mail"

#: What the comparison needs of a user in Entra, beside what the tenant syncs.
SIGN_IN_PROPERTIES: Final = (MAIL, IMMUTABLE_ID)


class ValueMatch(StrEnum):
    """How a value in Skolon compares with the one in Entra."""

    EXACT = "exact"
    #: The sync takes them for the same, sign-in does not.
    CASE_DIFFERS = "case_differs"
    DIFFERENT = "different"
    BLANK_IN_ENTRA = "blank_in_entra"


@dataclass(frozen=True, kw_only=True)
class SignInMatch:
    """How a user's e-mail and Idp identifier in Skolon compare; None where Entra's value is not known."""

    email: ValueMatch | None = None
    idp_identifier: ValueMatch | None = None


def compare_values(in_skolon: str | None, in_entra: str | None) -> ValueMatch:
    """Compare a value in Skolon with the one in Entra."""
    if in_entra is None:
        return ValueMatch.BLANK_IN_ENTRA
    if in_skolon == in_entra:
        return ValueMatch.EXACT
    same = in_skolon is not None and in_skolon.lower() == in_entra.lower()
    return ValueMatch.CASE_DIFFERS if same else ValueMatch.DIFFERENT
