"""The proxy of the fault suite, between real sockets."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from devtools.chaos.proxy import Proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devtools.chaos.proxy import Proxy

#: Seconds: far more than loopback takes.
DEADLINE = 10.0
#: Seconds within which nothing may come through a door that holds everything.
SILENCE = 0.3


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """Have a server that sends back what it gets, until the client has finished."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while piece := connection.recv(65_536):
                connection.sendall(piece)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def proxy(echo: tuple[str, int]) -> Iterator[Proxy]:
    with Proxies() as proxies:
        yield proxies.open(*echo)


def connected(proxy: Proxy) -> socket.socket:
    """Connect, and exchange a greeting, so that both halves of the connection are there."""
    connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=DEADLINE)
    connection.sendall(b"hello")
    assert connection.recv(100) == b"hello"
    return connection


def send_all(connection: socket.socket, sent: bytes) -> None:
    connection.sendall(sent)
    connection.shutdown(socket.SHUT_WR)


def until(found: Callable[[], bool]) -> bool:
    end = time.monotonic() + DEADLINE
    while not found():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_bytes_pass(proxy: Proxy) -> None:
    """Nothing is changed on the way, however much it is."""
    sent = bytes(range(256)) * 4096
    with closing(connected(proxy)) as connection:
        writer = threading.Thread(target=send_all, args=(connection, sent))
        writer.start()
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
        writer.join()
    assert received == sent
    assert proxy.touched == 0


def test_a_cut_resets_every_connection_and_lets_new_ones_in(proxy: Proxy) -> None:
    """As when a firewall forgets its connections."""
    with closing(connected(proxy)) as connection:
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert proxy.touched == 1
    connected(proxy).close()


def test_a_shut_door_refuses_until_all_have_reopened_it(proxy: Proxy) -> None:
    """Two outages that overlap are over with the second."""
    with closing(connected(proxy)) as connection:
        proxy.shut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    proxy.shut()
    proxy.reopen()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=DEADLINE)
    proxy.reopen()
    connected(proxy).close()


@pytest.mark.parametrize("directions", [{}, {"to_server": False}, {"to_client": False}])
def test_what_is_held_comes_when_it_is_let_go(proxy: Proxy, directions: dict[str, bool]) -> None:
    """A black hole, in both directions or one, that ends."""
    with closing(connected(proxy)) as connection:
        proxy.hold(**directions)
        connection.sendall(b"later")
        assert until(lambda: proxy.touched > 0)
        connection.settimeout(SILENCE)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        connection.settimeout(DEADLINE)
        proxy.release()
        assert connection.recv(100) == b"later"


def test_what_was_held_is_lost_with_its_connection(proxy: Proxy) -> None:
    """After a black hole that ends with a reset nothing arrives late."""
    with closing(connected(proxy)) as connection:
        proxy.hold()
        connection.sendall(b"never")
        assert until(lambda: proxy.touched > 0)
        proxy.cut()
        proxy.release()
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_a_delay_is_a_delay_alone(proxy: Proxy) -> None:
    """What comes late comes whole."""
    with closing(connected(proxy)) as connection:
        proxy.delay(0.05)
        connection.sendall(b"late")
        assert connection.recv(100) == b"late"
    assert proxy.touched == 2


def test_an_answer_breaks_off_in_its_middle(proxy: Proxy) -> None:
    """Half a piece, and then the end of the stream; the next connection is whole."""
    with closing(connected(proxy)) as connection:
        proxy.break_off(1, "end")
        connection.sendall(b"123456")
        assert connection.recv(100) == b"123"
        assert connection.recv(100) == b""
    assert proxy.breaks_left == 0
    connected(proxy).close()


def test_an_answer_may_break_off_with_a_reset(proxy: Proxy) -> None:
    """A reset may overtake the half that was sent before it."""
    with closing(connected(proxy)) as connection:
        proxy.break_off(1, "reset")
        connection.sendall(b"123456")
        received: list[bytes] = []
        with pytest.raises(ConnectionResetError):
            received.extend(iter(lambda: connection.recv(100), b""))
        assert received in ([], [b"123"])


def test_one_half_of_a_connection_can_be_closed(proxy: Proxy) -> None:
    """The client reads the end of the stream though it has not finished itself."""
    with closing(connected(proxy)) as connection:
        proxy.half_close()
        assert connection.recv(100) == b""
    assert proxy.touched == 1
