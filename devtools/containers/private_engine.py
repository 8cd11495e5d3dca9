"""An engine of our own: Debian's dockerd in namespaces, with nothing but loopback and its own bridge.

Its network namespace has no way out, so that nothing in it can reach or disturb other machines. Files that
images need are copied into it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from devtools.containers import stand_in_images
from devtools.containers.commands import TAIL, Failed, attempt, run
from devtools.containers.engine import Engine
from devtools.containers.machine import cache, need
from devtools.containers.roots import BARE, HERE, Recipe, root
from devtools.containers.stand_in_images import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENGINE = Recipe(
    name="engine", packages=("docker.io", "docker-cli", "docker-compose", "iptables", "iproute2")
)
#: Where the repository lies inside, read-only.
_REPOSITORY = "/repository"
#: The label of a stand-in image that says what made it.
_LABEL = "update-sync.made-of"
#: Seconds for dockerd to answer, and to end.
_READY = 60
#: The group of control groups that all of it is in.
_CGROUP = "update-sync-image-test"


def impossible() -> str | None:
    """Return why no engine can be had of this machine, None when one can."""
    if os.geteuid() != 0:
        return "it needs root, or a docker engine that this user may use"
    if shutil.which("apt-get") is None:
        return "it needs Debian's packages, or a docker engine"
    done = attempt("unshare", "--mount", "--net", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt")
    if done.returncode:
        return f"namespaces are refused ({done.stderr.strip()}), and there is no docker engine"
    return None


@contextmanager
def private_engine(variables: Mapping[str, str]) -> Iterator[Engine]:
    """Keep an engine running until the block ends, with the images that are asked for. Raises Failed."""
    need(debootstrap="debootstrap")
    root(BARE)
    with ThreadPoolExecutor() as pool:
        own = pool.submit(root, _ENGINE)
        roots = dict(zip(stand_in_images.ALL, pool.map(StandIn.make_root, stand_in_images.ALL), strict=True))
        folder = own.result()
    data = cache() / "engine-data"
    data.mkdir(exist_ok=True)
    log = cache() / "engine.log"
    with log.open("wb") as output:
        # Whatever becomes of this process, the engine and all that runs in it end with it.
        unshared = subprocess.Popen(  # noqa: S603 - commands of our own
            [  # noqa: S607
                "setpriv", "--pdeathsig=KILL",
                "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
                HERE / "become-engine", folder, stand_in_images.REPOSITORY, _REPOSITORY, data, _CGROUP,
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        dockerd = _child(unshared)
        enter = ("nsenter", f"--target={dockerd}", "--mount", "--net", "--pid")
        there = ("sh", "-c", f'cd {_REPOSITORY} && exec "$@"', "there")
        engine = Engine(
            about="a private engine",
            words=(*enter, *there),
            variables={
                **variables,
                "HOME": "/root",
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "DOCKER_HOST": "unix:///run/docker.sock",
            },
        )
        _wait_for(engine, unshared, log)
        for stand_in, made in roots.items():
            _import(engine, stand_in, made)
        yield engine
        engine.attempt("image", "prune", "--force", "--filter", "until=24h")  # what older builds left
        os.kill(dockerd, signal.SIGTERM)
        unshared.wait(_READY)
    finally:
        unshared.kill()
        unshared.wait()
        _remove_cgroups()


def _child(process: subprocess.Popen[bytes]) -> int:
    """Return the number of the one process that `unshare` makes."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + _READY
    while time.monotonic() < until and process.poll() is None:
        if numbers := children.read_text(encoding="ascii").split():
            return int(numbers[0])
        time.sleep(0.05)
    raise Failed("the engine's namespaces could not be made")


def _wait_for(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _READY
    while process.poll() is None and time.monotonic() < until:
        if engine.attempt("version").returncode == 0:
            return
        time.sleep(0.2)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:])
    raise Failed(f"the private engine does not answer:\n{tail}")


def _import(engine: Engine, stand_in: StandIn, folder: Path) -> None:
    """Have the engine take in a stand-in image, unless it has that very one."""
    made_of = f"{folder.name} {stand_in.changes}"
    held = engine.attempt(
        "image", "inspect", "--format", f'{{{{index .Config.Labels "{_LABEL}"}}}}', stand_in.image
    )
    label = made_of.encode().hex()
    if held.stdout.strip() == label:
        return
    changes = [
        word for change in (*stand_in.changes, f"LABEL {_LABEL}={label}") for word in ("--change", change)
    ]
    archive = cache() / "image.tar"
    run("tar", "--create", f"--file={archive}", f"--directory={folder}", ".")
    try:
        with archive.open("rb") as stream:
            run(*engine.words, "docker", "import", *changes, "-", stand_in.image, stdin=stream)
    finally:
        archive.unlink()


def _remove_cgroups() -> None:
    """Remove the empty groups that the engine left."""
    for top in Path("/sys/fs/cgroup").glob(f"**/{_CGROUP}"):
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                continue  # the kernel is not done with it: the next run takes it, and removes it
