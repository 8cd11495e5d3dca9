"""The table of what a conversation with RabbitMQ can raise, and how RabbitMQ's refusals are read."""

from __future__ import annotations

import errno
import importlib
import inspect
import pkgutil
import ssl
from socket import gaierror

import pika
import pytest
from dramatiq.errors import ConnectionClosed
from pika import exceptions as amqp
from pika.adapters.utils import connection_workflow as connecting

from queues.brokers.connection_errors import ERROR_TABLE, as_transient_error, translated_errors
from schemas.errors import Dependency, OperatorError, TransientError, UsageError

#: Adapters of pika's for what is not installed here, and which we do not use.
FOREIGN_LOOPS = ("gevent_connection", "tornado_connection", "twisted_connection")


def _defined() -> list[type[Exception]]:
    """Return every class of exceptions that a module of pika's defines."""
    found: dict[str, type[Exception]] = {}
    for module in pkgutil.walk_packages(pika.__path__, "pika."):
        if module.name.endswith(FOREIGN_LOOPS):
            continue
        kinds = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        found |= {name: kind for name, kind in kinds if issubclass(kind, Exception) and _is_pikas(kind)}
    return list(found.values())


def _is_pikas(kind: type) -> bool:
    return kind.__module__.startswith("pika.")


DEFINED = _defined()


@pytest.mark.parametrize("kind", DEFINED, ids=lambda kind: kind.__name__)
def test_every_exception_of_pika_has_a_place(kind: type[Exception]) -> None:
    """Each class that pika defines has a row of its own, so that a new one is noticed."""
    assert kind in ERROR_TABLE


def test_something_was_looked_at() -> None:
    """The test above sees the families of pika's errors that are not related to each other."""
    assert {amqp.AMQPError, amqp.ChannelError, connecting.AMQPConnectorStackTimeout} <= set(DEFINED)
    assert len(DEFINED) > 45


@pytest.mark.parametrize(
    "error",
    [
        connecting.AMQPConnectorStackTimeout(),
        gaierror(-2, "Name or service not known"),
        ssl.SSLError(1, "anything"),
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        TimeoutError(),
        ConnectionResetError(),
        BrokenPipeError(),
        EOFError(),
        AssertionError("pika's own"),
        AttributeError("'NoneType' object has no attribute 'ioloop'"),
        amqp.StreamLostError("x"),
        amqp.AMQPConnectionError(
            connecting.AMQPConnectorSocketConnectError(ConnectionRefusedError(111, "x"))
        ),
        ConnectionClosed(amqp.StreamLostError("x")),  # type: ignore[no-untyped-call] # dramatiq has no types there
    ],
    ids=repr,
)
def test_whatever_comes_is_an_outage_of_the_broker(error: Exception) -> None:
    """P8: that RabbitMQ cannot be talked to in any way is an outage, and never the message's own fault."""
    with pytest.raises(TransientError) as caught, translated_errors():
        raise error
    assert caught.value.dependency is Dependency.BROKER
    assert not isinstance(caught.value, OperatorError)


def test_errors_of_ours_pass_the_door() -> None:
    """What we say ourselves is not said anew."""
    with pytest.raises(UsageError), translated_errors():
        raise UsageError("x")


def _closed(code: int, text: str) -> amqp.ChannelClosedByBroker:
    return amqp.ChannelClosedByBroker(code, text)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            amqp.ProbableAuthenticationError(
                "ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login was refused using authentication"
                " mechanism PLAIN. For details see the broker logfile.'"
            ),
            "refused the user name or the password",
        ),
        (
            amqp.ProbableAccessDeniedError(
                "ConnectionClosedByBroker: (530) 'NOT_ALLOWED - vhost nope not found'"
            ),
            "no virtual host nope:",
        ),
        (
            amqp.ProbableAccessDeniedError("NOT_ALLOWED - access to vhost 'here' refused for user 'few'"),
            "few has no rights in the virtual host here",
        ),
        (
            _closed(
                403, "ACCESS_REFUSED - access to exchange 'amq.default' in vhost '/' refused for user 'few'"
            ),
            "lacks the right to write on the exchange amq.default",
        ),
        (
            _closed(
                403, "ACCESS_REFUSED - read access to queue 'user-sync' in vhost '/' refused for user 'few'"
            ),
            "lacks the right to read on the queue user-sync",
        ),
        (
            _closed(
                406,
                "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'user-sync' in vhost '/':"
                " received 'quorum' but current is 'classic'",
            ),
            "the queue user-sync exists in RabbitMQ with other properties",
        ),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "certificate is not trusted"),
    ],
)
def test_what_an_operator_has_to_mend_is_said(error: Exception, words: str) -> None:
    """RabbitMQ's refusals name what is wrong, and so do we, in words of our own."""
    with pytest.raises(OperatorError, match=words):
        raise as_transient_error(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            amqp.ProbableAccessDeniedError(
                "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit (40) is reached"
            ),
            r"limit of connections .* is reached \(40\)",
        ),
        (
            amqp.ProbableAccessDeniedError(
                "NOT_ALLOWED - connection refused for user 'u': user connection limit (3) is reached"
            ),
            r"limit of connections .* is reached \(3\)",
        ),
        (_closed(406, "PRECONDITION_FAILED - partial tx completion"), "closed the channel"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (gaierror(-2, "Name or service not known"), "cannot be resolved"),
    ],
)
def test_what_may_pass_is_waited_for(error: Exception, words: str) -> None:
    """A limit in which others may leave room, or a full queue, is an outage and no mistake."""
    outage = as_transient_error(error)
    assert not isinstance(outage, OperatorError)
    with pytest.raises(TransientError, match=words):
        raise outage


def test_a_name_cannot_command_a_terminal() -> None:
    """What RabbitMQ names is shown without anything that a terminal obeys."""
    error = _closed(403, "ACCESS_REFUSED - access to queue 'a\x1b[31m' in vhost '/' refused for user 'u'")
    assert "\x1b" not in str(as_transient_error(error))
