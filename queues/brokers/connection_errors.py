"""Classifies the exceptions of pika, sockets, TLS and name resolution in one table.

pika's errors belong to four unrelated families, and pika passes on errors of the operating system. None of
them is a message's fault, so each becomes a `TransientError` that names RabbitMQ (promise P8). The module
`queues.brokers.refusals` reads RabbitMQ's own texts; the table has texts for all other errors.
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

from queues.brokers.refusals import find_refusal
from schemas.errors import Dependency, OperatorError, TransientError, UpdateSyncError, error_location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OPEN_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


class ErrorKind(Enum):
    """How to handle an error."""

    #: RabbitMQ, or the network to it, is unavailable: try again later.
    TRANSIENT = auto()
    #: Nothing works until an operator fixes it.
    PERMANENT = auto()


_CLOSED: Final = "the connection broke"
_CONFUSED: Final = "RabbitMQ and we misunderstood each other"

#: The text and kind of each class; the nearest ancestor counts, so the order does not matter.
ERROR_TABLE: Final[Mapping[type[Exception], tuple[ErrorKind, str]]] = MappingProxyType(
    {
        amqp.AMQPError: (ErrorKind.TRANSIENT, "RabbitMQ did not do it"),
        # A connection cannot be made, or breaks.
        amqp.AMQPConnectionError: (ErrorKind.TRANSIENT, "no connection"),
        amqp.ConnectionOpenAborted: (ErrorKind.TRANSIENT, "no connection in time"),
        amqp.StreamLostError: (ErrorKind.TRANSIENT, _CLOSED),
        amqp.IncompatibleProtocolError: (
            ErrorKind.TRANSIENT,
            "what listens there speaks no AMQP in the clear; is the port right, or is it one for amqps://?",
        ),
        amqp.AuthenticationError: (ErrorKind.PERMANENT, "RabbitMQ takes no user name with a password"),
        amqp.ProbableAuthenticationError: (ErrorKind.TRANSIENT, "the connection ended while we logged in"),
        amqp.ProbableAccessDeniedError: (
            ErrorKind.TRANSIENT,
            "the connection ended while we opened the virtual host",
        ),
        amqp.NoFreeChannels: (ErrorKind.TRANSIENT, "the connection has no free channel"),
        amqp.ConnectionWrongStateError: (ErrorKind.TRANSIENT, "the connection is closed"),
        amqp.ConnectionClosed: (ErrorKind.TRANSIENT, "the connection was closed"),
        amqp.ConnectionClosedByBroker: (ErrorKind.TRANSIENT, "RabbitMQ closed the connection"),
        amqp.ConnectionClosedByClient: (ErrorKind.TRANSIENT, "the connection was closed by us"),
        amqp.ConnectionBlockedTimeout: (
            ErrorKind.TRANSIENT,
            "RabbitMQ takes no messages; is its alarm for memory or disk space raised?",
        ),
        amqp.AMQPHeartbeatTimeout: (ErrorKind.TRANSIENT, "RabbitMQ gave no sign of life"),
        # A channel is closed, or a message is refused.
        amqp.AMQPChannelError: (ErrorKind.TRANSIENT, "RabbitMQ refused it"),
        amqp.ChannelWrongStateError: (ErrorKind.TRANSIENT, "the channel is closed"),
        amqp.ChannelClosed: (ErrorKind.TRANSIENT, "the channel was closed"),
        amqp.ChannelClosedByBroker: (ErrorKind.TRANSIENT, "RabbitMQ closed the channel"),
        amqp.ChannelClosedByClient: (ErrorKind.TRANSIENT, "the channel was closed by us"),
        amqp.DuplicateConsumerTag: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.ConsumerCancelled: (ErrorKind.TRANSIENT, "RabbitMQ took the queue away from us"),
        amqp.UnroutableError: (ErrorKind.TRANSIENT, "the queue is not there"),
        amqp.NackError: (ErrorKind.TRANSIENT, "the queue did not take it"),
        # Frames that do not fit each other: a broken stream, or another server.
        amqp.InvalidChannelNumber: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.ProtocolSyntaxError: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.UnexpectedFrameError: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.ProtocolVersionMismatch: (
            ErrorKind.TRANSIENT,
            "what listens there speaks another AMQP than 0-9-1",
        ),
        amqp.BodyTooLongError: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.InvalidFrameError: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.InvalidFieldTypeException: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.UnsupportedAMQPFieldException: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.MethodNotImplemented: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.ChannelError: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.ReentrancyError: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.ShortStringTooLong: (ErrorKind.TRANSIENT, _CONFUSED),
        amqp.DuplicateGetOkCallback: (ErrorKind.TRANSIENT, _CONFUSED),
        # Errors while connecting, which are no AMQPErrors.
        connecting.AMQPConnectorException: (ErrorKind.TRANSIENT, "no connection"),
        connecting.AMQPConnectorStackTimeout: (
            ErrorKind.TRANSIENT,
            "no answer in time; does RabbitMQ hang, or does something else listen there?",
        ),
        connecting.AMQPConnectorAborted: (ErrorKind.TRANSIENT, "no connection in time"),
        connecting.AMQPConnectorWrongState: (ErrorKind.TRANSIENT, "no connection"),
        connecting.AMQPConnectorPhaseErrorBase: (ErrorKind.TRANSIENT, "no connection"),
        connecting.AMQPConnectorSocketConnectError: (ErrorKind.TRANSIENT, "no connection"),
        connecting.AMQPConnectorTransportSetupError: (ErrorKind.TRANSIENT, "no connection"),
        connecting.AMQPConnectorAMQPHandshakeError: (ErrorKind.TRANSIENT, "no connection"),
        connecting.AMQPConnectionWorkflowAborted: (ErrorKind.TRANSIENT, "no connection in time"),
        connecting.AMQPConnectionWorkflowWrongState: (ErrorKind.TRANSIENT, "no connection"),
        connecting.AMQPConnectionWorkflowFailed: (ErrorKind.TRANSIENT, "no connection"),
        # Errors of the operating system.
        gaierror: (ErrorKind.TRANSIENT, "the name of its host cannot be resolved; is it right?"),
        ConnectionRefusedError: (
            ErrorKind.TRANSIENT,
            "no server listens at its address; does it run, and are host and port right?",
        ),
        ConnectionError: (ErrorKind.TRANSIENT, _CLOSED),
        TimeoutError: (
            ErrorKind.TRANSIENT,
            "no connection in time; are host and port right, and is the way free?",
        ),
        ssl.SSLError: (ErrorKind.TRANSIENT, "TLS failed"),
        ssl.SSLCertVerificationError: (
            ErrorKind.PERMANENT,
            "its certificate is not trusted; is it this host's, still valid, and its authority known here?",
        ),
        OSError: (ErrorKind.TRANSIENT, "the network cannot be used"),
    }
)


def as_transient_error(error: Exception) -> TransientError:
    """Return the error to raise in place of any exception from RabbitMQ or the network to it.

    It is an `OperatorError` if an operator has to fix something. An exception that the table does not have is
    an outage too: a failed request to RabbitMQ is never the fault of a message.
    """
    if isinstance(error, TransientError):
        return error
    cause = _innermost(error)
    if refusal := find_refusal(cause):
        return _error_for(
            ErrorKind.TRANSIENT if refusal.is_temporary else ErrorKind.PERMANENT, refusal.message
        )
    if isinstance(cause, OSError) and cause.errno in _OPEN_FILES:
        return _error_for(
            ErrorKind.TRANSIENT,
            "this process has no open file left for a connection: raise its limit (ulimit -n, LimitNOFILE)",
        )
    if getattr(cause, "reason", None) == "WRONG_VERSION_NUMBER":
        return _error_for(
            ErrorKind.PERMANENT,
            "what listens there speaks no TLS: amqps:// needs RabbitMQ's port for TLS, mostly 5671",
        )
    for ancestor in type(cause).__mro__:
        if ancestor in ERROR_TABLE:
            kind, message = ERROR_TABLE[ancestor]
            return _error_for(kind, f"{message} ({type(cause).__name__})")
    return _error_for(ErrorKind.TRANSIENT, f"an unforeseen {type(cause).__name__} at {error_location(cause)}")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn exceptions from RabbitMQ or the network into `TransientError`; errors of ours pass unchanged."""
    try:
        yield
    except UpdateSyncError:
        raise
    except Exception as error:  # noqa: BLE001 - see `as_transient_error`
        raise as_transient_error(error) from None


def operator_error(message: str) -> OperatorError:
    """Return the error for a fault that an operator has to fix; its text is a line by itself."""
    return OperatorError(Dependency.BROKER, f"RabbitMQ cannot be used: {message}.")


def _error_for(kind: ErrorKind, message: str) -> TransientError:
    return (
        TransientError(Dependency.BROKER, message) if kind is ErrorKind.TRANSIENT else operator_error(message)
    )


def _innermost(error: BaseException) -> BaseException:
    """Return the exception that pika or dramatiq has wrapped."""
    while True:
        inner = getattr(error, "exception", None)
        inner = inner or next((each for each in error.args if isinstance(each, BaseException)), None)
        if not isinstance(inner, BaseException):
            return error
        error = inner
