"""Updates users in the form of PATCH that each organisation's server takes, and looks at the result."""

from __future__ import annotations

import threading
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

import structlog
from cachetools import TTLCache

from clients.skolon.capabilities import PatchForm
from clients.skolon.errors import Operation, RejectedError, UserNotFoundError
from clients.skolon.updates.answers import moved, user_after
from clients.skolon.updates.bodies import PatchBodies
from clients.skolon.updates.documents import changed_document
from schemas.errors import TransientError, VersionConflictError
from schemas.outcomes import Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import requests

    from clients.skolon.capability_cache import CapabilityCache
    from clients.skolon.profiles import Profile
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

_SCIM: Final = "application/scim+json"

#: Statuses by which servers that do not know a form of PATCH fail.
_MAYBE_FORM: Final = frozenset({500, 501})

#: Organisations whose failures are remembered (promise P10), and for how many seconds.
_MAX_FAILING: Final = 1000
_FAILING_SECONDS: Final = 600.0

_log = structlog.get_logger(__name__)


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
        self._lock = threading.Lock()
        #: How each organisation's server fails, since its last success.
        self._failing: TTLCache[str, int] = TTLCache(_MAX_FAILING, ttl=_FAILING_SECONDS)

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
        undecided = {
            name
            for name, value in wanted.items()
            if self._bodies.kind_of_change(user, name, value) not in known.patch_forms
            and name not in known.unaccepted
        }
        forms = self._known_forms(known.patch_forms, user, wanted)
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
                if self._is_read_only(organisation, wanted, error):
                    return user
                if not undecided or not self._may_be_form(organisation, error):
                    raise
                refused = refused or error
                continue
            if after is None:
                return None
            with self._lock:
                self._failing.pop(organisation, None)
            self._record_forms(organisation, user, after, wanted, forms)
            undecided &= wanted.keys() - moved(user, after, wanted)
            wanted, user, refused = {name: wanted[name] for name in undecided}, after, None
            if not wanted:
                return user
        self._record_unaccepted(organisation, undecided, refused)
        if refused is not None:
            raise refused
        return user

    def _known_forms(
        self, known: Mapping[str, PatchForm], user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> dict[Attribute, PatchForm]:
        """Return the forms to begin with: those that have worked for the kind of change, or a like one."""
        alike = {kind.rpartition(" ")[2]: form for kind, form in known.items()}
        kinds = {name: self._bodies.kind_of_change(user, name, value) for name, value in changes.items()}
        return {
            name: known.get(kind) or alike.get(kind.rpartition(" ")[2]) or PatchForm.PATHS
            for name, kind in kinds.items()
        }

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

    def _record_forms(
        self,
        organisation: str,
        before: SkolonUser,
        after: SkolonUser,
        changes: Mapping[Attribute, str | None],
        forms: Mapping[Attribute, PatchForm],
    ) -> None:
        """Remember the forms that have worked."""
        taken = moved(before, after, changes)
        worked = {self._bodies.kind_of_change(before, name, changes[name]): forms[name] for name in taken}
        known = self._capabilities.get(organisation).patch_forms
        if not worked.items() <= known.items():
            self._capabilities.record(organisation, patch_forms={**known, **worked})

    def _record_unaccepted(
        self, organisation: str, attributes: Collection[Attribute], refused: Exception | None
    ) -> None:
        """Remember the attributes for which no form works; of several refused ones, one may be the reason."""
        if refused is None or len(attributes) == 1:
            known = self._capabilities.get(organisation).unaccepted
            self._capabilities.record(organisation, unaccepted=known.union(attributes))

    def _may_be_form(self, organisation: str, error: RejectedError | TransientError) -> bool:
        """Say whether a server may refuse the form of a PATCH, rather than what is in it.

        A single 5xx may be an outage. It is not taken for one if the update before met the same.
        """
        if isinstance(error, RejectedError):
            return error.concerns_form
        if error.status not in _MAYBE_FORM or error.retry_after is not None:
            return False
        with self._lock:
            has_repeated = self._failing.get(organisation) == error.status
            self._failing[organisation] = error.status
        return has_repeated

    def _is_read_only(
        self, organisation: str, changes: Mapping[Attribute, str | None], error: Exception
    ) -> bool:
        """Say whether the only attribute is one that the server never changes, and remember it."""
        if not isinstance(error, RejectedError) or not error.is_read_only or len(changes) != 1:
            return False
        known = self._capabilities.get(organisation).read_only
        self._capabilities.record(organisation, read_only=known.union(changes))
        return True
