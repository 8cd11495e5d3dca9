"""Reads birthdays, which Graph gives for one user at a time, in batches. Their failures never fail a user."""

from __future__ import annotations

import datetime as dt
import random
import re
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from cachetools import LRUCache

from clients.graph.batch import MAX_BATCH_SIZE, BatchRefusedError
from clients.graph.birthday_availability import BirthdayAvailability
from clients.http.deadlines import time_left, time_limit
from clients.http.session import READ_TIMEOUT as _USER_READ_TIMEOUT
from runtime.coalescer import Coalescer
from runtime.cohort import Cohort
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError, TransientError, UpdateSyncError
from schemas.users.attributes import BIRTHDAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clients.http.session import Response
    from schemas.tenants.tenant import Credentials

#: Attempts for a birthday that fails without `Retry-After`.
MAX_ATTEMPTS: Final = 3
#: Seconds to wait for a response: a user is waiting for it.
READ_TIMEOUT: Final = 15.0

#: Seconds to wait at most for other threads to join a batch, and between two checks for them.
MAX_LINGER: Final = 0.5
_LOOK_AGAIN: Final = 0.001

#: Seconds to wait for other threads after a pause: the few users of a delta arrive one after another.
FIRST_LINGER: Final = 0.05
PAUSE: Final = 1.0

#: Batches of one directory that a process may have in flight at a time.
MAX_BATCHES_IN_FLIGHT: Final = 4

#: Directories of which a process remembers the availability (promise P10).
_CAPACITY: Final = 1000

#: How Graph says that no birthday has been set: the first day there is.
_UNSET: Final = "0001-"
_DATE: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]{5,20}(Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z", re.ASCII
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Birthday:
    """A birth date as YYYY-MM-DD, None when it is not set; or why it is not known.

    `value` is the date as it was written, and `moment` the aware moment of a time of day other than midnight.
    With `affects_all_users` no birthday of that directory can be read at the moment.
    """

    value: str | None = None
    moment: dt.datetime | None = None
    problem: str | None = None
    affects_all_users: bool = False


class UserRequests(Protocol):
    """Requests users of one directory: what this module needs of the Graph client."""

    credentials: Credentials

    def request_user(self, user_id: str, selected: str, read_timeout: float) -> Response:
        """Request one user."""

    def request_users(
        self, user_ids: Sequence[str], selected: str, read_timeout: float
    ) -> Sequence[Response | TransientError]:
        """Request several users in one batch."""

    def parse_user(self, response: Response) -> dict[str, Any] | None:
        """Return the user that a response holds, None when it says that there is none."""


@dataclass(frozen=True, kw_only=True)
class _BirthdayRequest:
    thread: int
    client: UserRequests
    user_id: str


class Birthdays:
    """Reads the birthdays of all directories for one process; shared by its threads."""

    def __init__(
        self,
        *,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cohort: Cohort[Credentials] = Cohort()
        self._wait = wait
        self._clock = clock
        self._lock = threading.Lock()
        self._availabilities: LRUCache[Credentials, BirthdayAvailability] = LRUCache(_CAPACITY)
        self._coalescer: Coalescer[Credentials, _BirthdayRequest, Response] = Coalescer(
            self._ask,
            max_batch=MAX_BATCH_SIZE,
            max_in_flight=MAX_BATCHES_IN_FLIGHT,
            before_send=self._linger,
            shared_errors=(UpdateSyncError,),
        )

    def birthday(self, client: UserRequests, user_id: str) -> Birthday:
        """Return a user's birthday or why it is unknown.

        Raises `TransientError` when Graph throttles or is unavailable as a whole. Birthdays come from another
        backend: when only they fail, the problem is returned.
        """
        availability = self._availability(client.credentials)
        unavailable_reason = availability.unavailable_reason()
        if unavailable_reason is not None:
            self.cohort.leave()
            return Birthday(problem=unavailable_reason, affects_all_users=True)
        found = self._try_repeatedly(client, availability, user_id)
        if isinstance(found, Birthday):
            return found
        if found.retry_after is not None:
            return self._resolve_throttling(client, availability, user_id, found)
        return self._resolve_failure(client, availability, user_id)

    def _try_repeatedly(
        self, client: UserRequests, availability: BirthdayAvailability, user_id: str
    ) -> Birthday | TransientError:
        """Try some times, for a part of a page's time: birthdays hang more often than the rest of Graph."""
        with time_limit(time_left() / 3):
            for attempt in range(1, MAX_ATTEMPTS):
                found = self._try(client, availability, user_id)
                if isinstance(found, Birthday) or found.retry_after is not None or not time_left():
                    return found
                self._wait(random.uniform(0.5, 1.0) * attempt)  # noqa: S311 - spreads load, keeps no secret
            return self._try(client, availability, user_id)

    def _try(
        self, client: UserRequests, availability: BirthdayAvailability, user_id: str
    ) -> Birthday | TransientError:
        try:
            user = self._read(client, availability, user_id)
        except TransientError as error:
            return error
        except UpdateSyncError as error:
            detail = getattr(error, "detail", str(error))
            return Birthday(problem=detail, affects_all_users=availability.record_refusal(detail))
        availability.record_success()
        return Birthday(problem=Detail(DetailKind.NO_SUCH_USER)) if user is None else read_birthday(user)

    def _resolve_throttling(
        self, client: UserRequests, availability: BirthdayAvailability, user_id: str, error: TransientError
    ) -> Birthday:
        """Raise the throttling error, unless only birthdays have been throttled for long."""
        if not availability.record_throttling():
            raise error
        problem = _graph_problem(client, user_id) or error.detail
        availability.mark_throttled(problem)
        return Birthday(problem=problem, affects_all_users=True)

    def _resolve_failure(
        self, client: UserRequests, availability: BirthdayAvailability, user_id: str
    ) -> Birthday:
        """Raise if Graph is unavailable as a whole; else return why this birthday cannot be read."""
        problem = _graph_problem(client, user_id)
        if problem is not None:
            return Birthday(problem=problem)
        with time_limit(time_left() / 3):
            found = self._try(client, availability, user_id)
        if isinstance(found, Birthday):
            return found
        return Birthday(problem=found.detail, affects_all_users=availability.record_failure(found.detail))

    def _read(
        self, client: UserRequests, availability: BirthdayAvailability, user_id: str
    ) -> dict[str, Any] | None:
        if availability.supports_batches:
            requested = _BirthdayRequest(thread=threading.get_ident(), client=client, user_id=user_id)
            try:
                response = self._coalescer.call(client.credentials, requested)
            except BatchRefusedError as refused:
                if availability.supports_batches:
                    directory = client.credentials.directory
                    _log.warning("graph_batches_refused", directory=directory, detail=str(refused))
                availability.supports_batches = False
            else:
                # The token may expire inside a batch. A single request gets a new one.
                if response.status_code != HTTPStatus.UNAUTHORIZED:
                    return client.parse_user(response)
        self.cohort.leave()
        return client.parse_user(client.request_user(user_id, BIRTHDAY, READ_TIMEOUT))

    def _ask(
        self, credentials: Credentials, requested: Sequence[_BirthdayRequest]
    ) -> Sequence[Response | Exception]:
        del credentials
        self.cohort.remove([each.thread for each in requested])
        client, users = requested[0].client, [each.user_id for each in requested]
        if len(users) == 1:
            return [client.request_user(users[0], BIRTHDAY, READ_TIMEOUT)]
        return client.request_users(users, BIRTHDAY, READ_TIMEOUT)

    def _linger(self, credentials: Credentials, requested: Sequence[_BirthdayRequest]) -> None:
        """Wait for the threads of this process that may request a birthday of the same directory."""
        availability, began = self._availability(credentials), time.monotonic()
        least = (
            FIRST_LINGER
            if began - availability.last_asked > PAUSE and self.cohort.contains(requested[0].thread)
            else 0
        )
        while len(requested) < MAX_BATCH_SIZE:
            waited = time.monotonic() - began
            present = {each.thread for each in tuple(requested)}
            awaited = self.cohort.has_pending(credentials, excluding=present)
            if waited >= (MAX_LINGER if awaited else least):
                break
            time.sleep(_LOOK_AGAIN)
        availability.last_asked = time.monotonic()

    def _availability(self, credentials: Credentials) -> BirthdayAvailability:
        with self._lock:
            return self._availabilities.setdefault(credentials, BirthdayAvailability(clock=self._clock))


def _graph_problem(client: UserRequests, user_id: str) -> str | None:
    """Return why Graph refuses even the user's id, None when it does not; raise when it is unavailable."""
    try:
        client.parse_user(client.request_user(user_id, "id", _USER_READ_TIMEOUT))
    except HaltError as error:
        return error.detail
    return None


def read_birthday(user: dict[str, object]) -> Birthday:
    """Return the birthday that an answer holds, as it is written; a time without an offset is UTC's."""
    raw = user.get("birthday")
    if raw is None or (isinstance(raw, str) and raw.startswith(_UNSET)):
        return Birthday()
    match = _DATE.match(raw) if isinstance(raw, str) else None
    if match is None:
        return Birthday(problem=Detail(DetailKind.BIRTHDAY_NO_DATE))
    try:
        return Birthday(value=dt.date.fromisoformat(match[1]).isoformat(), moment=_moment(match[0]))
    except ValueError:
        return Birthday(problem=Detail(DetailKind.BIRTHDAY_NO_DATE))


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.time() == dt.time.min:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
