"""A TCP proxy that passes bytes through, and can delay, hold, cut and break off what passes.

`Proxies` runs an event loop in a thread; each `Proxy` in it listens on loopback for one server. Any thread
may call a proxy's methods. A call has taken effect when it returns.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any

#: Bytes that are passed on at once.
CHUNK: Final = 65_536
#: Seconds that whatever is done to a door may take.
PATIENCE: Final = 10.0
#: How an answer breaks off: with a reset, or with an end of the stream.
Ending = Literal["reset", "end"]

_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(eq=False, kw_only=True)
class _Link:
    """One client's connection with its counterpart to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    def reset(self) -> None:
        for writer in (self.client, self.server):
            _reset(writer)

    def end(self) -> None:
        for writer in (self.client, self.server):
            writer.close()


class Proxy:
    """One listening port in front of one server. Made by `Proxies.open`."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, None]], None], target: tuple[str, int]) -> None:
        self._run = run
        self._target = target
        self._links: set[_Link] = set()
        self._listener: asyncio.Server | None = None
        #: Reserves the port while no server listens on it.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        #: Connections and pieces that anything was done to.
        self.touched = 0
        self._shut_by = 0
        self._delay = 0.0
        self._halves: list[Ending] = []
        # Set while bytes may pass, one for each direction.
        self._to_server, self._to_client = asyncio.Event(), asyncio.Event()
        self._to_server.set()
        self._to_client.set()

    async def listen(self) -> None:
        """Begin to listen."""
        self._listener = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, limit=CHUNK, reuse_address=True, backlog=256
        )

    def shut(self) -> None:
        """Refuse new connections and reset those there are, until as many `reopen` as `shut`."""

        async def shut() -> None:
            self._shut_by += 1
            self._stop()

        self._run(shut())

    def reopen(self) -> None:
        """Listen again, after as many calls as of `shut`."""

        async def reopened() -> None:
            self._shut_by -= 1
            if not self._shut_by:
                await self.listen()

        self._run(reopened())

    def hold(self, *, to_server: bool = True, to_client: bool = True) -> None:
        """Let no byte pass, in one direction or both, until `release`: a black hole."""

        async def held() -> None:
            for wanted, flow in ((to_server, self._to_server), (to_client, self._to_client)):
                if wanted:
                    flow.clear()

        self._run(held())

    def release(self) -> None:
        """Pass on what was held, and what comes."""

        async def flowing() -> None:
            self._to_server.set()
            self._to_client.set()

        self._run(flowing())

    def delay(self, seconds: float) -> None:
        """Pass every piece on so much later; 0 ends it."""

        async def delayed() -> None:
            self._delay = seconds

        self._run(delayed())

    def cut(self) -> None:
        """Reset every connection; all bytes on their way are lost."""

        async def cut_all() -> None:
            self._reset_all()

        self._run(cut_all())

    def half_close(self) -> None:
        """Tell every client that the server has finished, while still taking what the client sends."""

        async def closed_for_writing() -> None:
            for link in list(self._links):
                self.touched += 1
                with suppress(OSError, RuntimeError):
                    link.client.write_eof()

        self._run(closed_for_writing())

    @property
    def breaks_left(self) -> int:
        """How many pieces are still to arrive by half only."""
        return len(self._halves)

    def break_off(self, times: int, ending: Ending) -> None:
        """Have the next so many pieces towards clients arrive by half only, and then nothing more."""

        async def broken() -> None:
            self._halves += [ending] * times

        self._run(broken())

    async def close(self) -> None:
        """End everything."""
        self._stop()
        self._place.close()

    def _stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._reset_all()

    def _reset_all(self) -> None:
        for link in list(self._links):
            self.touched += 1
            link.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server = await asyncio.open_connection(*self._target, limit=CHUNK)
        except OSError:
            _reset(writer)
            return
        for one in (writer, server):
            one.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(client=writer, server=server)
        self._links.add(link)
        try:
            await asyncio.gather(
                self._pass(reader, server, self._to_server),
                self._pass(server_reader, writer, self._to_client, link),
            )
        except (OSError, RuntimeError):
            # asyncio raises RuntimeError for a piece that comes after the end was said, by `half_close`.
            link.reset()
        finally:
            link.end()
            self._links.discard(link)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        flow: asyncio.Event,
        answers_of: _Link | None = None,
    ) -> None:
        while piece := await reader.read(CHUNK):
            if self._delay:
                self.touched += 1
                await asyncio.sleep(self._delay)
            if not flow.is_set():
                self.touched += 1
                await flow.wait()
            if answers_of is not None and self._halves:
                self.touched += 1
                ending = self._halves.pop()
                writer.write(piece[: len(piece) // 2])
                await writer.drain()
                answers_of.reset() if ending == "reset" else answers_of.end()
                return
            writer.write(piece)
            await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()


class Proxies:
    """All proxies of a round, in an event loop in a thread of their own. A context manager."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._doors: list[Proxy] = []

    def open(self, host: str, port: int) -> Proxy:
        """Return a new proxy in front of that server."""
        proxy = Proxy(self._run, (host, port))
        self._run(proxy.listen())
        self._doors.append(proxy)
        return proxy

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for proxy in self._doors:
            self._run(proxy.close())
        self._run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a reset, throwing away what was not sent."""
    sock = writer.transport.get_extra_info("socket")
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
