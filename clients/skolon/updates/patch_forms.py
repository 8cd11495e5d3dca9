"""Decides in which form of PATCH an organisation's server takes each change, and remembers what it took."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from cachetools import TTLCache

from clients.skolon.errors import RejectedError
from clients.skolon.server.capabilities import PatchForm
from clients.skolon.updates.answers import moved

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clients.skolon.server.capabilities import Capabilities
    from clients.skolon.server.capability_cache import CapabilityCache
    from clients.skolon.updates.bodies import PatchBodies
    from schemas.errors import TransientError
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

#: Statuses by which servers that do not know a form of PATCH fail.
_MAYBE_FORM: Final = frozenset({500, 501})

#: Organisations whose failures are remembered (promise P10), and for how many seconds.
_MAX_FAILING: Final = 1000
_FAILING_SECONDS: Final = 600.0


class PatchForms:
    """The forms that the servers of all organisations take; may be shared by threads."""

    def __init__(self, capabilities: CapabilityCache, bodies: PatchBodies) -> None:
        self._capabilities = capabilities
        self._bodies = bodies
        self._lock = threading.Lock()
        #: How each organisation's server fails, since its last success.
        self._failing: TTLCache[str, int] = TTLCache(_MAX_FAILING, ttl=_FAILING_SECONDS)

    def undecided(
        self, known: Capabilities, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> set[Attribute]:
        """Return the attributes of which it is not known in which form the server takes them, if in any."""
        return {
            name
            for name, value in changes.items()
            if self._bodies.kind_of_change(user, name, value) not in known.patch_forms
            and name not in known.unaccepted
        }

    def to_begin_with(
        self, known: Capabilities, user: SkolonUser, changes: Mapping[Attribute, str | None]
    ) -> dict[Attribute, PatchForm]:
        """Return the forms to begin with: those that have worked for the kind of change, or a like one."""
        worked = known.patch_forms
        alike = {kind.rpartition(" ")[2]: form for kind, form in worked.items()}
        kinds = {name: self._bodies.kind_of_change(user, name, value) for name, value in changes.items()}
        return {
            name: worked.get(kind) or alike.get(kind.rpartition(" ")[2]) or PatchForm.PATHS
            for name, kind in kinds.items()
        }

    def record(
        self,
        organisation: str,
        before: SkolonUser,
        after: SkolonUser,
        changes: Mapping[Attribute, str | None],
        forms: Mapping[Attribute, PatchForm],
    ) -> None:
        """Remember the forms that have worked, and that the server does not fail."""
        with self._lock:
            self._failing.pop(organisation, None)
        taken = moved(before, after, changes)
        worked = {self._bodies.kind_of_change(before, name, changes[name]): forms[name] for name in taken}
        known = self._capabilities.get(organisation).patch_forms
        if not worked.items() <= known.items():
            self._capabilities.record(organisation, patch_forms={**known, **worked})

    def record_unaccepted(
        self, organisation: str, attributes: Collection[Attribute], refused: Exception | None
    ) -> None:
        """Remember the attributes for which no form works; of several refused ones, one may be the reason."""
        if refused is None or len(attributes) == 1:
            known = self._capabilities.get(organisation).unaccepted
            self._capabilities.record(organisation, unaccepted=known.union(attributes))

    def may_be_refused(self, organisation: str, error: RejectedError | TransientError) -> bool:
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

    def are_read_only(
        self, organisation: str, changes: Mapping[Attribute, str | None], error: Exception
    ) -> bool:
        """Say whether the only attribute is one that the server never changes, and remember it."""
        if not isinstance(error, RejectedError) or not error.is_read_only or len(changes) != 1:
            return False
        known = self._capabilities.get(organisation).read_only
        self._capabilities.record(organisation, read_only=known.union(changes))
        return True
