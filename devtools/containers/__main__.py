"""`make image-test`: the image and docker-compose.yml on a real engine."""

from __future__ import annotations

import fcntl
import sys
import time

from devtools.containers.commands import Failed, attempt
from devtools.containers.engine import Engine
from devtools.containers.machine import cache
from devtools.containers.private_engine import impossible, private_engine
from devtools.containers.stand_in_images import ALL
from devtools.containers.walkthrough import PEOPLE, say, walk
from devtools.services.process import Unavailable

_VARIABLES = {"SANDBOX_USERS": str(PEOPLE)}


def _present_engine() -> Engine | None:
    """Return the machine's own engine, if it runs and has, or can fetch, the images that are asked for."""
    try:
        version = attempt("docker", "version", "--format", "{{.Server.Version}}")
        if version.returncode or attempt("docker", "compose", "version").returncode:
            return None
        for stand_in in ALL:
            if attempt("docker", "image", "inspect", stand_in.image).returncode:
                say(f"fetching {stand_in.image} …")
                if attempt("docker", "pull", "--quiet", stand_in.image).returncode:
                    return None
    except Failed:
        return None
    return Engine(about=f"this machine's Docker {version.stdout.strip()}", variables=_VARIABLES)


def _on_private_engine() -> None:
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one at a time: they share what is kept
        began = time.monotonic()
        with private_engine(_VARIABLES) as engine:
            say(f"{time.monotonic() - began:7.1f} s  {engine.about}, and the images that it needs")
            walk(engine)


def main() -> int:
    """Do it all; 0 is good, 1 is not."""
    began = time.monotonic()
    try:
        if present := _present_engine():
            say(f"on {present.about}")
            walk(present)
        elif reason := impossible():
            # A test that did not run has not passed: the same exit code for a person and in CI.
            say(f"image-test: no container engine can run here: {reason}")
            return 1
        else:
            _on_private_engine()
    except (Failed, Unavailable) as error:
        say(f"image-test failed after {time.monotonic() - began:.0f} s: {error}")
        return 1
    say(f"image-test passed in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
