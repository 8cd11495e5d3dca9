"""What pika, sockets, TLS and name resolution can raise, in one table that says what it calls for.

pika's errors are of four unrelated families, and it lets through what the system below it raises. None
of that is a message's fault, so each becomes a `TransientError` that names RabbitMQ (promise P8). The
texts of RabbitMQ are read by `queues.brokers.refusals`; the words of this table stand in the others' place.
"""

from __future__ import annotations

import errno
import ssl
from contextlib import contextmanager
from enum import Enum, auto
from socket import gaierror
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pika import exceptions as amqp
from pika.adapters.utils import connection_workflow as connecting

from queues.brokers.refusals import refusal_in
from schemas.errors import Dependency, OperatorError, TransientError, UpdateSyncError, error_location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OPEN_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


class Trouble(Enum):
    """What a fault calls for."""

    #: RabbitMQ, or the way there, is away: try again later.
    AWAY = auto()
    #: Nothing works until an operator mends it.
    MISTAKE = auto()


_CLOSED: Final = "the connection broke"
_CONFUSED: Final = "RabbitMQ and we misunderstood each other"

#: The words for each class, and what it calls for; the nearest ancestor counts, so the order does not matter.
FAULTS: Final[Mapping[type[Exception], tuple[Trouble, str]]] = MappingProxyType(
    {
        amqp.AMQPError: (Trouble.AWAY, "RabbitMQ did not do it"),
        # A connection cannot be made, or breaks.
        amqp.AMQPConnectionError: (Trouble.AWAY, "no connection"),
        amqp.ConnectionOpenAborted: (Trouble.AWAY, "no connection in time"),
        amqp.StreamLostError: (Trouble.AWAY, _CLOSED),
        amqp.IncompatibleProtocolError: (
            Trouble.AWAY,
            "what listens there speaks no AMQP in the clear; is the port right, or is it one for amqps://?",
        ),
        amqp.AuthenticationError: (Trouble.MISTAKE, "RabbitMQ takes no user name with a password"),
        amqp.ProbableAuthenticationError: (Trouble.AWAY, "the connection ended while we logged in"),
        amqp.ProbableAccessDeniedError: (
            Trouble.AWAY,
            "the connection ended while we opened the virtual host",
        ),
        amqp.NoFreeChannels: (Trouble.AWAY, "the connection has no free channel"),
        amqp.ConnectionWrongStateError: (Trouble.AWAY, "the connection is closed"),
        amqp.ConnectionClosed: (Trouble.AWAY, "the connection was closed"),
        amqp.ConnectionClosedByBroker: (Trouble.AWAY, "RabbitMQ closed the connection"),
        amqp.ConnectionClosedByClient: (Trouble.AWAY, "the connection was closed by us"),
        amqp.ConnectionBlockedTimeout: (
            Trouble.AWAY,
            "RabbitMQ takes no messages; is its alarm for memory or disk space raised?",
        ),
        amqp.AMQPHeartbeatTimeout: (Trouble.AWAY, "RabbitMQ gave no sign of life"),
        # A channel is closed, or a message not taken.
        amqp.AMQPChannelError: (Trouble.AWAY, "RabbitMQ refused it"),
        amqp.ChannelWrongStateError: (Trouble.AWAY, "the channel is closed"),
        amqp.ChannelClosed: (Trouble.AWAY, "the channel was closed"),
        amqp.ChannelClosedByBroker: (Trouble.AWAY, "RabbitMQ closed the channel"),
        amqp.ChannelClosedByClient: (Trouble.AWAY, "the channel was closed by us"),
        amqp.DuplicateConsumerTag: (Trouble.AWAY, _CONFUSED),
        amqp.ConsumerCancelled: (Trouble.AWAY, "RabbitMQ took the queue away from us"),
        amqp.UnroutableError: (Trouble.AWAY, "the queue is not there"),
        amqp.NackError: (Trouble.AWAY, "the queue did not take it"),
        # Frames that do not fit each other: a broken stream, or another server.
        amqp.InvalidChannelNumber: (Trouble.AWAY, _CONFUSED),
        amqp.ProtocolSyntaxError: (Trouble.AWAY, _CONFUSED),
        amqp.UnexpectedFrameError: (Trouble.AWAY, _CONFUSED),
        amqp.ProtocolVersionMismatch: (Trouble.AWAY, "what listens there speaks another AMQP than 0-9-1"),
        amqp.BodyTooLongError: (Trouble.AWAY, _CONFUSED),
        amqp.InvalidFrameError: (Trouble.AWAY, _CONFUSED),
        amqp.InvalidFieldTypeException: (Trouble.AWAY, _CONFUSED),
        amqp.UnsupportedAMQPFieldException: (Trouble.AWAY, _CONFUSED),
        amqp.MethodNotImplemented: (Trouble.AWAY, _CONFUSED),
        amqp.ChannelError: (Trouble.AWAY, _CONFUSED),
        amqp.ReentrancyError: (Trouble.AWAY, _CONFUSED),
        amqp.ShortStringTooLong: (Trouble.AWAY, _CONFUSED),
        amqp.DuplicateGetOkCallback: (Trouble.AWAY, _CONFUSED),
        # The way to a connection, which is no AMQPError.
        connecting.AMQPConnectorException: (Trouble.AWAY, "no connection"),
        connecting.AMQPConnectorStackTimeout: (
            Trouble.AWAY,
            "no answer in time; does RabbitMQ hang, or does something else listen there?",
        ),
        connecting.AMQPConnectorAborted: (Trouble.AWAY, "no connection in time"),
        connecting.AMQPConnectorWrongState: (Trouble.AWAY, "no connection"),
        connecting.AMQPConnectorPhaseErrorBase: (Trouble.AWAY, "no connection"),
        connecting.AMQPConnectorSocketConnectError: (Trouble.AWAY, "no connection"),
        connecting.AMQPConnectorTransportSetupError: (Trouble.AWAY, "no connection"),
        connecting.AMQPConnectorAMQPHandshakeError: (Trouble.AWAY, "no connection"),
        connecting.AMQPConnectionWorkflowAborted: (Trouble.AWAY, "no connection in time"),
        connecting.AMQPConnectionWorkflowWrongState: (Trouble.AWAY, "no connection"),
        connecting.AMQPConnectionWorkflowFailed: (Trouble.AWAY, "no connection"),
        # The system below.
        gaierror: (Trouble.AWAY, "the name of its host cannot be resolved; is it right?"),
        ConnectionRefusedError: (
            Trouble.AWAY,
            "nobody listens at its address; does it run, and are host and port right?",
        ),
        ConnectionError: (Trouble.AWAY, _CLOSED),
        TimeoutError: (Trouble.AWAY, "no connection in time; are host and port right, and is the way free?"),
        ssl.SSLError: (Trouble.AWAY, "TLS failed"),
        ssl.SSLCertVerificationError: (
            Trouble.MISTAKE,
            "its certificate is not trusted; is it this host's, still valid, and its authority known here?",
        ),
        OSError: (Trouble.AWAY, "the network cannot be used"),
    }
)


def as_outage(error: Exception) -> TransientError:
    """Return what to raise in place of any exception that came out of a conversation with RabbitMQ.

    `OperatorError` where it cannot heal by itself. What the table does not know is an outage all the
    same: that RabbitMQ could not be told something is never the fault of a message.
    """
    if isinstance(error, TransientError):
        return error
    cause = _innermost(error)
    if refusal := refusal_in(cause):
        return _made(Trouble.AWAY if refusal.heals else Trouble.MISTAKE, refusal.words)
    if isinstance(cause, OSError) and cause.errno in _OPEN_FILES:
        return _made(
            Trouble.AWAY,
            "this process has no open file left for a connection: raise its limit (ulimit -n, LimitNOFILE)",
        )
    if getattr(cause, "reason", None) == "WRONG_VERSION_NUMBER":
        return _made(
            Trouble.MISTAKE,
            "what listens there speaks no TLS: amqps:// needs RabbitMQ's port for TLS, mostly 5671",
        )
    for ancestor in type(cause).__mro__:
        if ancestor in FAULTS:
            trouble, words = FAULTS[ancestor]
            return _made(trouble, f"{words} ({type(cause).__name__})")
    return _made(Trouble.AWAY, f"an unforeseen {type(cause).__name__} at {error_location(cause)}")


@contextmanager
def at_the_door() -> Iterator[None]:
    """Turn all that a conversation with RabbitMQ raises into an outage; errors of ours pass."""
    try:
        yield
    except UpdateSyncError:
        raise
    except Exception as error:  # noqa: BLE001 - see `as_outage`
        raise as_outage(error) from None


def operator_error(words: str) -> OperatorError:
    """Return the error for what an operator has to mend; its text is a line by itself."""
    return OperatorError(Dependency.BROKER, f"RabbitMQ cannot be used: {words}.")


def _made(trouble: Trouble, words: str) -> TransientError:
    return TransientError(Dependency.BROKER, words) if trouble is Trouble.AWAY else operator_error(words)


def _innermost(error: BaseException) -> BaseException:
    """Return what pika, or dramatiq, wrapped."""
    while True:
        inner = getattr(error, "exception", None)
        inner = inner or next((each for each in error.args if isinstance(each, BaseException)), None)
        if not isinstance(inner, BaseException):
            return error
        error = inner
