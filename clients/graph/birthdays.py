"""Birthdays, which Graph gives for one user at a time: asked for together, and never failing a user."""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from clients.graph.batch import MOST, BatchRefusedError
from clients.graph.birthday import Birthday, read_birthday
from clients.graph.birthday_availability import BirthdaySource
from runtime.coalescer import Coalescer
from runtime.cohort import Company
from schemas.errors import HaltError, TransientError, UpdateSyncError
from schemas.users.attributes import BIRTHDAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clients.graph.client import GraphClient
    from clients.http.session import Answer
    from schemas.tenants.tenant import Credentials

#: Tries for a birthday that fails without a word of when to come again.
TRIES: Final = 3
#: Seconds for an answer: a user is waiting for it.
READ_TIMEOUT: Final = 15.0

#: Seconds to wait at most for others who are on the way to ask, and between two looks at whether they came.
LONGEST_LINGER: Final = 0.5
_LOOK_AGAIN: Final = 0.001

#: Seconds to wait for others after a pause in asking: a delta's few people are delivered one after the other.
FIRST_LINGER: Final = 0.05
PAUSE: Final = 1.0

#: Batches of one directory that may be under way in a process at a time.
AT_ONCE: Final = 4

#: The token ended between the batch and what is in it: whoever is asked for alone gets a new one.
_UNAUTHORIZED: Final = 401

#: Directories of which a process keeps in mind what it has learnt (promise P10).
_KEPT: Final = 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    thread: int
    client: GraphClient
    user_id: str


class Birthdays:
    """How one process asks for birthdays; shared by its threads."""

    def __init__(
        self,
        *,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.company: Company[Credentials] = Company()
        self._wait = wait
        self._clock = clock
        self._lock = threading.Lock()
        self._sources: OrderedDict[Credentials, BirthdaySource] = OrderedDict()
        self._together: Coalescer[Credentials, _Asked, Answer] = Coalescer(
            self._ask, most=MOST, at_once=AT_ONCE, linger=self._linger, for_all=(UpdateSyncError,)
        )

    def birthday(self, client: GraphClient, user_id: str) -> Birthday:
        """Return a user's birthday or why it is not known.

        Raises `TransientError` when Graph asks to wait, or is away as a whole; but not when it is the
        birthdays alone, which come from elsewhere.
        """
        source = self._source(client.credentials)
        refusal = source.refusal()
        if refusal is not None:
            self.company.turned_off()
            return Birthday(problem=refusal, of_all=True)
        for tried in range(1, TRIES + 1):
            found = self._try(client, source, user_id)
            if isinstance(found, Birthday):
                return found
            if found.retry_after is not None:
                return self._throttled(client, source, user_id, found)
            if tried < TRIES:
                self._wait(random.uniform(0.5, 1.0) * tried)  # noqa: S311 - spreads load, keeps no secret
        return self._failed(client, source, user_id)

    def _try(self, client: GraphClient, source: BirthdaySource, user_id: str) -> Birthday | TransientError:
        try:
            user = self._read(client, source, user_id)
        except TransientError as error:
            return error
        except UpdateSyncError as error:
            detail = getattr(error, "detail", str(error))
            return Birthday(problem=detail, of_all=source.refused(detail))
        source.answered()
        return Birthday(problem="no such user") if user is None else read_birthday(user)

    def _throttled(
        self, client: GraphClient, source: BirthdaySource, user_id: str, error: TransientError
    ) -> Birthday:
        """Have the user wait as long as Graph asks, unless it is for its birthday alone and for long."""
        if not source.throttled():
            raise error
        problem = _graphs_refusal(client, user_id) or error.detail
        source.throttled_alone(problem)
        return Birthday(problem=problem, of_all=True)

    def _failed(self, client: GraphClient, source: BirthdaySource, user_id: str) -> Birthday:
        """Tell Graph that is away, for which the user waits, from a birthday that cannot be read."""
        problem = _graphs_refusal(client, user_id)
        if problem is not None:
            return Birthday(problem=problem)
        found = self._try(client, source, user_id)
        if isinstance(found, Birthday):
            return found
        return Birthday(problem=found.detail, of_all=source.failed(found.detail))

    def _read(self, client: GraphClient, source: BirthdaySource, user_id: str) -> dict[str, Any] | None:
        if source.takes_batches:
            asked = _Asked(thread=threading.get_ident(), client=client, user_id=user_id)
            try:
                answer = self._together.call(client.credentials, asked)
            except BatchRefusedError as refused:
                if source.takes_batches:
                    directory = client.credentials.directory
                    _log.warning("graph takes no batches", directory=directory, answer=str(refused))
                source.takes_batches = False
            else:
                if answer.status_code != _UNAUTHORIZED:
                    return client.user_in(answer)
        self.company.turned_off()
        return client.user_in(client.answer(user_id, BIRTHDAY, READ_TIMEOUT))

    def _ask(self, credentials: Credentials, asked: Sequence[_Asked]) -> Sequence[Answer | Exception]:
        del credentials
        self.company.passed([each.thread for each in asked])
        client, users = asked[0].client, [each.user_id for each in asked]
        if len(users) == 1:
            return [client.answer(users[0], BIRTHDAY, READ_TIMEOUT)]
        return client.answers(users, BIRTHDAY, READ_TIMEOUT)

    def _linger(self, credentials: Credentials, asked: Sequence[_Asked]) -> None:
        """Wait for those of this process who are on the way to ask the same directory."""
        source, began = self._source(credentials), time.monotonic()
        least = FIRST_LINGER if began - source.last_asked > PAUSE and self.company.has(asked[0].thread) else 0
        while len(asked) < MOST:
            waited = time.monotonic() - began
            present = {each.thread for each in tuple(asked)}
            awaited = self.company.is_awaited(credentials, besides=present)
            if waited >= (LONGEST_LINGER if awaited else least):
                break
            time.sleep(_LOOK_AGAIN)
        source.last_asked = time.monotonic()

    def _source(self, credentials: Credentials) -> BirthdaySource:
        with self._lock:
            source = self._sources.setdefault(credentials, BirthdaySource(clock=self._clock))
            self._sources.move_to_end(credentials)
            while len(self._sources) > _KEPT:
                self._sources.popitem(last=False)
            return source


def _graphs_refusal(client: GraphClient, user_id: str) -> str | None:
    """Return why Graph tells nothing of a user at all, None when it does; raises when it is away."""
    try:
        client.user(user_id, ("id",))
    except HaltError as error:
        return error.detail
    return None
