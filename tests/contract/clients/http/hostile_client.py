"""A process that asks a hostile server at many addresses: `python -m …hostile_client KIND SECONDS URL…`.

KIND is `threads`, `greenlets`, or `one-by-one`. Prints for each address what came, and how much the process
grew in MiB. The name `hangs.invalid` is one whose look-up does not end.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any


def main(kind: str, seconds: str, *urls: str) -> None:
    """Ask, and print what came."""
    if kind == "greenlets":
        from queues.consuming.gevent_patch import patch_gevent  # noqa: PLC0415 - before all else

        patch_gevent()
    import socket  # noqa: PLC0415 - after the greenlets
    import threading  # noqa: PLC0415
    import time  # noqa: PLC0415

    from clients.http.errors import TransportFailure  # noqa: PLC0415
    from clients.http.session import HttpSession, json_object  # noqa: PLC0415

    look_up = socket.getaddrinfo

    def hangs(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "hangs.invalid":
            time.sleep(3600)
        return look_up(host, *args, **kwargs)

    socket.getaddrinfo = hangs
    session = HttpSession(methods={"GET"}, seconds=float(seconds))
    found: dict[str, str] = {}

    def ask(url: str) -> None:
        answer = session.try_request("GET", url)
        if isinstance(answer, TransportFailure):
            found[url] = answer.message
        else:
            found[url] = "no object" if json_object(answer) is None else "an object"

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if kind == "one-by-one":
        for url in urls:
            ask(url)
    else:
        threads = [threading.Thread(target=ask, args=(url,), daemon=True) for url in urls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    print(json.dumps({"found": found, "grown": grown}))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
