"""Runs one stub: `python -m bench.stubs graph|skolon`; two more arguments, certificate and key, for TLS.

Prints one line of JSON with the addresses once it serves, and ends when its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys

from bench.stubs.graph import EntraStub, GraphStub
from bench.stubs.http import listen
from bench.stubs.skolon import SkolonStub


async def _graph(chain: str, key: str) -> dict[str, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    graph = GraphStub()
    entra = EntraStub(graph.counts)
    graph.url = f"http://127.0.0.1:{await listen(graph)}"
    entra.url = f"https://127.0.0.1:{await listen(entra, context)}"
    return {"graph": graph.url, "entra": entra.url}


async def _skolon() -> dict[str, str]:
    return {"skolon": f"http://127.0.0.1:{await listen(SkolonStub())}"}


async def _serve(kind: str, *files: str) -> None:
    addresses = await (_graph(*files) if kind == "graph" else _skolon())
    print(json.dumps(addresses), flush=True)  # noqa: T201 - it is what the process says
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
