"""Updates users by PATCH, each only at the version that was read, and looks at the result."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import structlog

from clients.skolon.errors import Operation, RejectedError, UserNotFoundError
from clients.skolon.server.capabilities import PatchForm
from clients.skolon.updates.answers import moved, user_after
from clients.skolon.updates.bodies import PatchBodies
from clients.skolon.updates.documents import changed_document
from clients.skolon.updates.patch_forms import PatchForms
from schemas.errors import TransientError, VersionConflictError
from schemas.outcomes import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from clients.skolon.profiles import Profile
    from clients.skolon.server.capability_cache import CapabilityCache
    from clients.skolon.updates.protocols import CheckUpdate, ReadUser, SendUpdate
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

_SCIM: Final = "application/scim+json"

_log = structlog.get_logger(__name__)


class ScimUpdate:
    """Updates users, each only at the version that was read, unless the server refuses its own versions."""

    def __init__(
        self,
        send: SendUpdate,
        read: ReadUser,
        check: CheckUpdate,
        capabilities: CapabilityCache,
        profile: Profile,
    ) -> None:
        self._profile = profile
        self._bodies = PatchBodies(profile)
        self._send = send
        self._read = read
        self._check = check
        self._capabilities = capabilities
        self._forms = PatchForms(capabilities, self._bodies)

    def update(
        self, organisation: str, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> SkolonUser | None:
        """Make the changes; return the user as the server shows it then, None if it does not show it.

        What the server does not take in one form is sent in the next one, once for each kind of change. The
        form that works is remembered for the organisation. What is read-only is not sent. Raises the error of
        the form that was tried first.
        """
        known = self._capabilities.get(organisation)
        lacking = user.lacking(changes) - known.read_only
        wanted = {name: value for name, value in changes.items() if name in lacking}
        undecided = self._forms.undecided(known, user, wanted)
        forms = self._forms.to_begin_with(known, user, wanted)
        refused: RejectedError | TransientError | None = None
        sent: list[object] = []
        for form in (None, *PatchForm) if wanted else ():
            if form is not None:
                forms |= dict.fromkeys(undecided, form)
            user, body = self._body(organisation, user, wanted, forms)
            if not body["Operations"] or body["Operations"] in sent:
                continue
            sent.append(body["Operations"])
            try:
                after = self._patched(organisation, user, wanted, body)
            except (RejectedError, TransientError) as error:
                if self._forms.are_read_only(organisation, wanted, error):
                    return user
                if not undecided or not self._forms.may_be_refused(organisation, error):
                    raise
                refused = refused or error
                continue
            if after is None:
                return None
            self._forms.record(organisation, user, after, wanted, forms)
            undecided &= wanted.keys() - moved(user, after, wanted)
            wanted, user, refused = {name: wanted[name] for name in undecided}, after, None
            if not wanted:
                return user
        self._forms.record_unaccepted(organisation, undecided, refused)
        if refused is not None:
            raise refused
        return user

    def _body(
        self,
        organisation: str,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        forms: Mapping[Attribute, PatchForm],
    ) -> tuple[SkolonUser, dict[str, Any]]:
        """Return the PATCH, and the user as it was read for it."""
        if not self._bodies.needs_document(user, changes, forms):
            return user, self._bodies.patch(user, changes, forms)
        found = self._read(organisation, user.id)
        if found is None:
            raise UserNotFoundError("the Skolon user is no longer there")
        current, document = found
        if (current.attributes, current.is_protected) != (user.attributes, user.is_protected):
            raise VersionConflictError("the Skolon user has changed since it was read")
        return current, self._bodies.patch(
            current, changes, forms, changed_document(document, changes, self._profile)
        )

    def _patched(
        self,
        organisation: str,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        body: Mapping[str, Any],
    ) -> SkolonUser | None:
        """Send a PATCH; return the user after it, None if the server has accepted it and shows nothing of it.

        An answer may hold the user, a part of it, the user from before, or nothing (RFC 7644 section 3.5.2).
        Unless it shows the changes, the user is read.
        """
        response = self._patch(organisation, user, body)
        self._check(response, organisation, user.id, Operation.UPDATE)
        return user_after(response, user, changes, self._profile, partial(self._read, organisation, user.id))

    def _patch(self, organisation: str, user: SkolonUser, body: Mapping[str, Any]) -> requests.Response:
        """Return the response to a PATCH of `user`, whatever its status.

        412 says that the user has changed. If it has not, and the same version is refused once more, the
        server does not know its version again. The PATCH is sent without it then, and for a while so are
        others.
        """
        knows_versions = self._capabilities.get(organisation).knows_versions
        response = self._send_patch(organisation, user, body, with_version=knows_versions)
        if response.status_code != HTTPStatus.PRECONDITION_FAILED or not knows_versions:
            return response
        found = self._read(organisation, user.id)
        if found is None or (found[0].version, found[0].attributes) != (user.version, user.attributes):
            return response
        response = self._send_patch(organisation, found[0], body, with_version=True)
        if response.status_code != HTTPStatus.PRECONDITION_FAILED:
            return response
        self._capabilities.record(organisation, knows_versions=False)
        _log.warning("skolon_refuses_its_versions", organisation=organisation)
        return self._send_patch(organisation, user, body, with_version=False)

    def _send_patch(
        self, organisation: str, user: SkolonUser, body: Mapping[str, Any], *, with_version: bool
    ) -> requests.Response:
        headers = {"Content-Type": _SCIM}
        if with_version and user.version is not None:
            headers["If-Match"] = user.version
        path = f"/{quote(user.id, safe='')}"
        return self._send("PATCH", organisation, path, stage=Stage.UPDATE, headers=headers, json=body)
