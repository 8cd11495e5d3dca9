"""Unit tests stay within their process."""

from __future__ import annotations

import socket

import pytest


def test_a_unit_test_cannot_open_a_connection() -> None:
    """A unit test that tries to connect, to loopback too, fails."""
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"unit test .*socket\.connect"):
        client.connect(("127.0.0.1", 9))


def test_a_unit_test_cannot_look_up_a_name() -> None:
    """A unit test that asks for a host's address fails."""
    with pytest.raises(RuntimeError, match="unit test"):
        socket.getaddrinfo("localhost", 80)
