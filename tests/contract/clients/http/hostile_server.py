"""A server that draws its answers out for ever, or fills them with far too much, each at its own path."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds between two drops: far below the patience with a single one.
PAUSE: Final = 0.05

_OK: Final = b"HTTP/1.1 200 OK\r\n"
_CHUNKED: Final = _OK + b"Transfer-Encoding: chunked\r\n"


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def _for_ever(begin: bytes, drop: bytes) -> Iterator[bytes]:
    return itertools.chain([begin], itertools.repeat(drop))


#: What never comes to an end, by path: pieces that are sent with pauses.
SLOW: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    "nothing": lambda: _for_ever(b"", b""),
    "status-line": lambda: _for_ever(b"HTTP/1.1 200 ", b"O"),
    "continue": lambda: _for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "continue-headers": lambda: _for_ever(b"HTTP/1.1 100 Continue\r\n", b"A: b\r\n"),
    "header": lambda: _for_ever(_OK + b"A: ", b"b"),
    "body": lambda: _for_ever(_OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "body-to-its-end": lambda: _for_ever(_OK + b"Connection: close\r\n\r\n", b"x"),
    "chunk-size": lambda: _for_ever(_CHUNKED + b"\r\n", b"0"),
    "chunk-extension": lambda: _for_ever(_CHUNKED + b"\r\n1;", b"a"),
    "chunks": lambda: _for_ever(_CHUNKED + b"\r\n", _chunk(b"x")),
    "trailers": lambda: _for_ever(_CHUNKED + b"\r\n0\r\n", b"A: b\r\n"),
    "gzip-of-nothing": lambda: _for_ever(
        _CHUNKED + b"Content-Encoding: gzip\r\n\r\n", _chunk(gzip.compress(b""))
    ),
}

_MIB: Final = 1024 * 1024


def _whole(body: bytes, headers: bytes = b"") -> Iterator[bytes]:
    yield _OK + headers + b"Content-Length: %d\r\n\r\n" % len(body)
    yield body


def _bomb() -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    packed = [packer.compress(bytes(_MIB)) for _ in range(128)]
    return _whole(b"".join([*packed, packer.flush()]), b"Content-Encoding: gzip\r\n")


#: What is too much, by path: sent at once.
LARGE: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    "objects": lambda: _whole(b'{"value":[' + b"{}," * (19 * _MIB) + b"{}]}"),
    "objects-within-the-size": lambda: _whole(b'{"value":[' + b"{}," * (5 * _MIB) + b"{}]}"),
    "lists": lambda: _whole(b'{"value":' + b"[" * (8 * _MIB)),
    "values": lambda: _whole(b'{"value":[' + b'"ab",' * (3 * _MIB) + b'""]}'),
    "names": lambda: _whole(b"{" + b",".join(b'"%d":0' % number for number in range(_MIB)) + b"}"),
    "without-end": lambda: _for_ever(_OK + b"\r\n", b"x" * 65536),
    "bomb": _bomb,
    "header": lambda: _for_ever(_OK, b"A: " + b"b" * 60_000 + b"\r\n"),
    "continue": lambda: _for_ever(b"", b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"),
    "trailers": lambda: _for_ever(_CHUNKED + b"\r\n0\r\n", b"A: " + b"b" * 60_000 + b"\r\n"),
}


@contextmanager
def hostile_server() -> Iterator[int]:
    """Serve `/slow/…`, `/large/…` and `/good` on loopback until the block ends; yield the port."""
    stopped = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threads = [threading.Thread(target=_accept, args=(listener, stopped), daemon=True)]
    threads[0].start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        threads[0].join(10)


def _accept(listener: socket.socket, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client, stopped), daemon=True).start()


def _answer(client: socket.socket, stopped: threading.Event) -> None:
    with client, suppress(OSError):
        client.settimeout(60)
        while (head := client.recv(65536)) and not stopped.is_set():
            if not head.startswith(b"GET "):
                # The beginning of TLS, to which the first bytes of an answer come, and come.
                _send(
                    client, _for_ever(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", b"a"), stopped, PAUSE
                )
                return
            kind, _, name = head.split(b" ")[1].decode()[1:].partition("/")
            match kind:
                case "slow":
                    _send(client, SLOW[name](), stopped, PAUSE)
                case "large":
                    _send(client, LARGE[name](), stopped, 0)
                case _:
                    client.sendall(_OK + b"Content-Length: 2\r\n\r\n{}")


def _send(client: socket.socket, pieces: Iterator[bytes], stopped: threading.Event, pause: float) -> None:
    for piece in pieces:
        client.sendall(piece)
        if pause and stopped.wait(pause):
            return
