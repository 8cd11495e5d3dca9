"""Sign-in to the Data Hub by Entra: the account that Entra vouches for, and why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class EntraAccount:
    """An account: its directory (`tid`), its object there (`oid`), and its app roles and groups."""

    directory: str
    object_id: str
    claims: frozenset[str]


class EntraFault(StrEnum):
    """Why a sign-in by Entra ends without a session."""

    #: Begun in another browser, or too long ago.
    NOT_BEGUN = "not_begun"
    #: Entra says no: its user has stopped, or may not use the application.
    REFUSED = "refused"
    #: Entra does not answer, or not now.
    AWAY = "away"
    #: Entra refuses the application itself, or what comes from it cannot be trusted.
    MISCONFIGURED = "misconfigured"
    #: No app role and no group of the account is a role of the Data Hub.
    NO_ROLE = "no_role"
    #: The account is no member's.
    NO_MEMBER = "no_member"


class EntraSignInError(Exception):
    """A sign-in that ends in a fault; `detail` says for the log why, without a personal value."""

    def __init__(self, fault: EntraFault, detail: object = None) -> None:
        super().__init__()
        self.fault = fault
        self.detail = detail
