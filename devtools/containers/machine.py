"""What this machine is set up with for fetching packages: apt's mirror, pip's settings, authorities."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from devtools.containers.commands import Failed, run
from devtools.services.packages import install

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where Debian keeps what the machine trusts. A root without these packages' scripts gets the same file.
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
#: Where pip looks for settings, besides the environment (`pip config debug`).
PIP_SETTINGS = (
    Path("/etc/xdg/pip"),
    Path("/etc/pip.conf"),
    Path.home() / ".config/pip",
    Path.home() / ".pip",
)
#: apt's settings about how it fetches: proxies, authorities, clocks.
_FETCHING = re.compile(r"Acquire::(https?|Check-Valid-Until|Check-Date)\b")


def need(**packages: str) -> None:
    """Install the packages whose programs (the names) are not there. Raises Unavailable."""
    missing = [package for program, package in packages.items() if shutil.which(program) is None]
    if missing:
        install(missing)


def debian_mirror() -> str:
    """Return the mirror that apt is set up with. Raises Failed on what is not Debian."""
    found = _mirror()
    if found is None:
        run("apt-get", "-q", "update")  # until then apt does not know whose packages they are
        found = _mirror()
    if found is None:
        raise Failed("apt is not set up with a mirror of Debian, so no Debian can be made from it")
    return found


def _mirror() -> str | None:
    wanted = "$(ORIGIN) $(COMPONENT) $(SUITE) $(REPO_URI)"
    for line in run("apt-get", "indextargets", "--format", wanted, "Created-By: Packages").splitlines():
        match line.split():
            case ["Debian", "main", suite, uri] if not suite.endswith("-security"):
                return uri
    return None


def apt_settings() -> str:
    """Return what apt is told about fetching, as a file of its settings."""
    lines = run("apt-config", "dump").splitlines()
    return "".join(f"{line}\n" for line in lines if _FETCHING.match(line))


def pip_lends() -> list[Path]:
    """Return the files and folders that pip's settings are in or point to; pip needs them to fetch."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    return sorted({path for path in (*PIP_SETTINGS, AUTHORITIES, *_paths(told)) if path.exists()})


def _paths(settings: str) -> Iterator[Path]:
    for word in re.split(r"[\s='\"\[\],]+", settings):
        if word.startswith("file:///"):
            # An index in files links to what lies beside it.
            yield Path(word.removeprefix("file://")).parent
        elif word.startswith("/"):
            yield Path(word)


def cache() -> Path:
    """Return where what is made once is kept: $XDG_CACHE_HOME, root's is /var/cache."""
    given = os.environ.get("XDG_CACHE_HOME")
    above = Path(given) if given else Path("/var/cache")
    folder = above / "update-sync-containers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
