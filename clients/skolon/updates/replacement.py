"""Updates users of servers without PATCH: reads a user, makes the changes, and sends it as a whole (PUT)."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from clients.skolon.errors import Operation, UserNotFoundError
from clients.skolon.updates.answers import user_after
from clients.skolon.updates.documents import changed_document
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError, VersionConflictError
from schemas.outcomes import Cause, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clients.skolon.profiles import Profile
    from clients.skolon.updates.protocols import CheckUpdate, ReadUser, SendUpdate
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

_SCIM: Final = "application/scim+json"

#: Matches any version, and no user that does not exist (RFC 9110 section 13.1.1).
ANY_VERSION: Final = "*"


class ScimReplacement:
    """Replaces users by themselves with some values changed, each only at the version that was read.

    A PUT may create a user where there is none (RFC 9110 section 9.3.4). So the user is read right before,
    and each PUT is sent on the condition that the user exists (promise P1).
    """

    def __init__(self, send: SendUpdate, read: ReadUser, check: CheckUpdate, profile: Profile) -> None:
        self._send = send
        self._read = read
        self._check = check
        self._profile = profile

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> SkolonUser | None:
        """Make the changes; return the user as the server shows it then, None if it does not show it.

        Everything that the server shows of the user and is not changed is sent back as it is. Raises
        `HaltError` (`skolon_update`) if the server has created a user.
        """
        lacking = user.lacking(changes)
        wanted = {name: value for name, value in changes.items() if name in lacking}
        if not wanted:
            return user
        found = self._read(organisation, user.id)
        if found is None:
            raise UserNotFoundError("the Skolon user is no longer there")
        current, document = found
        if (current.version, current.attributes, current.is_protected) != (
            user.version,
            user.attributes,
            user.is_protected,
        ):
            raise VersionConflictError("the Skolon user has changed since it was read")
        return self._put(organisation, current, wanted, changed_document(document, wanted, self._profile))

    def _put(
        self,
        organisation: str,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        document: Mapping[str, Any],
    ) -> SkolonUser | None:
        response = self._send(
            "PUT",
            organisation,
            f"/{quote(user.id, safe='')}",
            stage=Stage.UPDATE,
            headers={"Content-Type": _SCIM, "If-Match": user.version or ANY_VERSION},
            json=document,
        )
        if response.status_code == HTTPStatus.CREATED:
            raise HaltError(
                Cause.SKOLON_UPDATE,
                Detail(DetailKind.USER_PERHAPS_CREATED, skolon_user=user.id),
                status=response.status_code,
                stage=Stage.UPDATE,
            )
        self._check(response, organisation, user.id, Operation.UPDATE)
        return user_after(response, user, changes, self._profile, partial(self._read, organisation, user.id))
