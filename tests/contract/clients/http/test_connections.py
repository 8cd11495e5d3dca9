"""Which of the connections that are kept open can take a request."""

from __future__ import annotations

import socket

from clients.http.connections import BoundedHTTPConnection


def test_a_connection_that_the_server_has_ended_takes_no_request() -> None:
    """A request to it would fail; and what came unasked would be taken for the answer to it."""
    ours, theirs = socket.socketpair()
    connection = BoundedHTTPConnection("skolon.example")
    assert not connection.is_connected
    with ours, theirs:
        connection.sock = ours
        assert connection.is_connected
        theirs.send(b"x")
        assert not connection.is_connected
        ours.recv(1)
        assert connection.is_connected
        theirs.close()
        assert not connection.is_connected
