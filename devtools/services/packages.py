"""Install a Debian package, where that is possible and allowed: as root, with apt-get."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from devtools.services.process import Unavailable, server_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Debian asks this script whether a package may start its daemon; 101 is no (invoke-rc.d's policy layer).
POLICY = Path("/usr/sbin/policy-rc.d")
#: Seconds for one apt-get command on a slow line.
APT_TIMEOUT = 600


#: Two commands of apt-get at once would refuse each other.
_APT: Final = threading.Lock()


@contextmanager
def _no_daemons() -> Iterator[None]:
    """Keep packages from starting their own services, unless the machine has a policy already."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def install(packages: Sequence[str]) -> None:
    """Install these packages with apt-get; raises Unavailable, with what would help, if it cannot."""
    names = " ".join(packages)
    apt = shutil.which("apt-get")
    if apt is None:
        raise Unavailable(f"not installed, and this is no Debian or Ubuntu to install {names} on")
    if os.geteuid() != 0:
        raise Unavailable(f"not installed: sudo apt-get install {names}")
    # apt needs the machine's proxy settings, so that it gets the whole environment.
    env = {**os.environ, **server_environment(), "DEBIAN_FRONTEND": "noninteractive"}
    update = [apt, "-q", "update"]
    fetch = [apt, "-q", "-y", "--no-install-recommends", "install", *packages]
    with _APT, _no_daemons():
        for command in (update, fetch):
            try:
                done = subprocess.run(  # noqa: S603 - a fixed command, no shell
                    command,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=APT_TIMEOUT,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise Unavailable(f"`{' '.join(command)}` took longer than {APT_TIMEOUT} s") from None
            # A failed update may leave lists that are good enough; a failed installation is final.
            if done.returncode and command is fetch:
                tail = "\n".join(done.stdout.splitlines()[-15:])
                raise Unavailable(f"`{' '.join(command)}` failed:\n{tail}")
