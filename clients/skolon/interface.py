"""What the sync needs of Skolon, whatever its API is like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clients.skolon.server.capabilities import Capabilities
    from clients.skolon.server.inspection import Inspection
    from schemas.tenants.skolon_target import SkolonTarget
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser


class SkolonClient(Protocol):
    """Skolon's users of all organisations; nothing here creates, replaces or deletes (promise P1)."""

    def search(self, organisation: str, keys: Mapping[Attribute, str]) -> list[SkolonUser]:
        """Return the users that have any of the values; none without keys."""

    def capabilities(self, organisation: str) -> Capabilities:
        """Return what is known of the organisation's server."""

    def forget_capabilities(self, organisation: str, names: Collection[str] = ()) -> None:
        """Forget what is known of the organisation's server, or only `names` of it: it is found out again."""

    def inspect(self, organisation: str) -> Inspection:
        """Look at the organisation's server for a check; `capabilities` tells what is found out by it."""

    def read(self, organisation: str, user_id: str) -> SkolonUser | None:
        """Return one user as it is now, None when there is none."""

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> SkolonUser | None:
        """Make the changes (None removes a value) unless the user has changed since it was read.

        Return the user as it is then; a change that it does not show is not made. None says that the changes
        are accepted, and that the user shows none of them so far.
        """

    def for_target(self, target: SkolonTarget) -> SkolonClient:
        """Return a client of the same Skolon for organisations whose servers are to be used in this way."""

    def read_only(self) -> SkolonClient:
        """Return a client of the same Skolon that can only read, for dry runs."""
