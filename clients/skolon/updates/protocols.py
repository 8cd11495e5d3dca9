"""What an update needs of the client: to send a request, to read a user, and to check a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from clients.skolon.errors import Operation
    from schemas.outcomes import Stage
    from schemas.users.skolon_user import SkolonUser


class SendUpdate(Protocol):
    """Sends a request for an organisation's users; returns the response whatever its status."""

    def __call__(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        organisation: str,
        rest: str,
        *,
        stage: Stage | None,
        headers: Mapping[str, str],
        json: Mapping[str, Any],
    ) -> requests.Response:
        """Take what follows `/Users` in the URL."""


class ReadUser(Protocol):
    """Reads a user as it is now."""

    def __call__(self, organisation: str, user_id: str) -> tuple[SkolonUser, dict[str, Any]] | None:
        """Return the user and its document, None when there is none."""


class CheckUpdate(Protocol):
    """Raises the error of an unsuccessful response to a request for one user."""

    def __call__(
        self, response: requests.Response, organisation: str, user_id: str, operation: Operation
    ) -> None:
        """Raise, or return nothing."""
