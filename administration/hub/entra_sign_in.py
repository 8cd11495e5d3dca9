"""Signing in to the Data Hub by Entra: whose account it is, and the role that it has there."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from administration.hub.tokens import hash_token
from schemas.crypto.encryption import DecryptionError
from schemas.hub.entra import EntraFault, EntraSignInError
from schemas.hub.member import Role
from schemas.hub.session import AuditKind, LinkFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from administration.hub.sign_in import SignIn
    from schemas.crypto.encryption import FieldCipher
    from schemas.hub.entra import EntraAccount
    from store.store import Store

#: Seconds that a sign-in may take at Entra.
ATTEMPT_LIFETIME: Final = 600

#: The roles by what they may do, the greatest first: who has several gets the greatest.
_BY_RIGHTS: Final = (Role.OPERATOR, Role.ADMINISTRATOR, Role.READER)

_log = structlog.get_logger(__name__)


class SignsInByEntra(Protocol):
    """Begins and finishes a sign-in at Entra; both raise `EntraSignInError`."""

    def begin(self, redirect_uri: str) -> tuple[str, dict[str, Any]]:
        """Return the address at Entra, and what `finish` needs."""

    def finish(self, flow: dict[str, Any], response: Mapping[str, str]) -> EntraAccount:
        """Return the account, by what Entra sent the browser back with."""


@dataclass(frozen=True, kw_only=True)
class EntraRules:
    """Which role an app role or a group gives, and which directory may have operators.

    In other directories their own administrators give app roles away: none of them makes an operator.
    """

    roles: Mapping[str, Role]
    operator_directory: str

    def role_of(self, account: EntraAccount) -> Role | None:
        """Return the role of an account, None if it has none."""
        found = {role for claim, role in self.roles.items() if claim in account.claims}
        if account.directory != self.operator_directory:
            found.discard(Role.OPERATOR)
        return next((role for role in _BY_RIGHTS if role in found), None)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A sign-in that has begun: where the browser goes, and what it keeps until it comes back."""

    address: str
    attempt: str


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The token of a new session, and the page that was wanted."""

    token: str
    page: str


class EntraSignIn:
    """Turns accounts of Entra into sessions of members; may be shared by threads."""

    def __init__(  # noqa: PLR0913 - what signs in, where members are, and what decides
        self,
        *,
        client: SignsInByEntra,
        rules: EntraRules,
        redirect_uri: str,
        store: Store,
        sign_in: SignIn,
        cipher: FieldCipher,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take Entra's client, the rules, the address that Entra sends browsers back to, and the database."""
        self._client = client
        self._rules = rules
        self._redirect_uri = redirect_uri
        self._store = store
        self._sign_in = sign_in
        self._cipher = cipher
        self._clock = clock

    def begin(self, *, page: str, link: str) -> Begun | EntraFault:
        """Begin a sign-in that leads to a page; with an invitation's link, for the member that it invites."""
        try:
            address, flow = self._client.begin(self._redirect_uri)
        except EntraSignInError as error:
            return _logged(error)
        ends = self._clock() + ATTEMPT_LIFETIME
        attempt = {"flow": flow, "page": page, "link": link, "ends": ends}
        return Begun(address=address, attempt=self._cipher.encrypt_json(attempt))

    def finish(
        self, attempt: str, response: Mapping[str, str], *, address: str
    ) -> SignedIn | EntraFault | LinkFault:
        """Start a session for what Entra sent the browser back with, or return why there is none.

        `attempt` is what the browser has kept, `address` is where it is.
        """
        result = self._finish(attempt, response, address)
        if not isinstance(result, SignedIn):
            self._sign_in.record_refused(address)
        return result

    def _finish(
        self, attempt: str, response: Mapping[str, str], address: str
    ) -> SignedIn | EntraFault | LinkFault:
        begun = self._opened(attempt)
        if begun is None:
            return EntraFault.NOT_BEGUN
        try:
            account = self._client.finish(begun["flow"], response)
        except EntraSignInError as error:
            return _logged(error)
        role = self._rules.role_of(account)
        if role is None:
            return EntraFault.NO_ROLE
        if begun["link"]:
            # `state` is a secret of this attempt: a second click on Entra's page is the same browser's.
            used = self._store.hub_invitations.use(hash_token(begun["link"]), hash_token(response["state"]))
            if isinstance(used, LinkFault):
                return used
            self._store.hub_members.set_account(used, account.directory, account.object_id)
        member = self._store.hub_members.find_by_account(account.directory, account.object_id)
        if member is None:
            return EntraFault.NO_MEMBER
        self._store.hub_members.set_role(member, role)
        token = self._sign_in.start_session(member)
        self._sign_in.record(AuditKind.SIGNED_IN_BY_ENTRA, member, address)
        return SignedIn(token=token, page=begun["page"])

    def _opened(self, attempt: str) -> dict[str, Any] | None:
        try:
            begun: dict[str, Any] = self._cipher.decrypt_json(attempt)
        except (DecryptionError, json.JSONDecodeError):
            return None
        return begun if self._clock() < begun["ends"] else None


def _logged(error: EntraSignInError) -> EntraFault:
    if error.fault in {EntraFault.AWAY, EntraFault.MISCONFIGURED}:
        _log.warning("entra_sign_in_failed", fault=str(error.fault), detail=str(error.detail))
    return error.fault
