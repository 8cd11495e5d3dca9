"""Declares a plain function as an actor: its name, its queue, its failure listener."""

from __future__ import annotations

import errno
import functools
from typing import TYPE_CHECKING, Any, ParamSpec

import dramatiq
from dramatiq.middleware import CurrentMessage

from queues.middleware.delivery import delivery_count_of, start
from queues.middleware.failure_policy import UnexpectedError
from queues.middleware.quarantine import check_redelivery
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import Dependency, TransientError, UpdateSyncError, error_location

if TYPE_CHECKING:
    from collections.abc import Callable

    from queues.middleware.failures import FailureListener

P = ParamSpec("P")


def declare_actor(
    broker: dramatiq.Broker,
    function: Callable[..., None],
    *,
    name: str,
    queue: str,
    failure_listener: FailureListener,
) -> None:
    """Declare `function` on `broker` as actor `name` of `queue`."""
    declare = dramatiq.actor(
        broker=broker,
        actor_name=name,
        queue_name=queue,
        failure_listener=failure_listener,
        throws=UpdateSyncError,
    )
    declare(_wrap_errors(function))


def current_message_id() -> str:
    """Return the id of the message that this thread processes."""
    return _current_message().message_id


def _current_message() -> dramatiq.Message[Any]:
    message: dramatiq.Message[Any] | None = CurrentMessage.get_current_message()
    if message is None:
        raise RuntimeError("this thread is not working on a message")
    return message


def _wrap_errors(function: Callable[P, None]) -> Callable[P, None]:
    """Make an actor's function raise errors of ours only, and check for redelivery first.

    The text of a foreign exception may hold personal data, and dramatiq logs it (promise P6). So the error
    keeps the exception's type and place, and drops its text.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        message = _current_message()
        start(message)
        check_redelivery(message.queue_name, delivery_count_of(message))
        try:
            function(*args, **kwargs)
        except UpdateSyncError:
            raise
        except Exception as error:  # noqa: BLE001 - turned into an error of ours
            if _lacks_open_files(error):
                # It may occur anywhere, even during an import, and is no fault of the message (promise P8).
                raise TransientError(Dependency.MACHINE, Detail(DetailKind.NO_OPEN_FILE_LEFT)) from None
            raise UnexpectedError(type(error).__name__, error_location(error)) from None

    return wrapper


def _lacks_open_files(error: BaseException | None) -> bool:
    """Say whether an error, or one of its causes, is that too many files are open."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__ or error.__context__
    return False
