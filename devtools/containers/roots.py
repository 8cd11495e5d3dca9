"""Debian systems in folders, made once and kept: the engine's own, and what images are made of.

A root's folder is named by a digest of all that made it, so that a changed recipe makes a new one. It
appears under its name only when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devtools.containers.commands import run
from devtools.containers.machine import AUTHORITIES, apt_settings, cache, debian_mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Where this package's shell scripts are.
HERE = Path(__file__).parent

#: Debian 13: Python 3.13, RabbitMQ 4, PostgreSQL 17 and Docker 26 are its own.
SUITE = "trixie"
_BASE_PACKAGES = ("ca-certificates", "netbase", "tzdata")
#: dpkg need not wait for the disk: a root that a power cut breaks was not complete, and is made again.
_DPKG_SETTINGS = "force-unsafe-io\n"
#: What no container needs, and what only makes an image large.
_LEFT_OVER = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What one root is made of: `packages` on top of a bare Debian, `commands` run in it, `files` laid in."""

    name: str
    packages: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    #: Path without its first slash, and text; a text that begins with #! may be executed.
    files: tuple[tuple[str, str], ...] = ()
    #: What else made it, e.g. the digest of a file that it was filled from.
    also: str = ""

    @property
    def digest(self) -> str:
        """Return a short digest of all of it."""
        text = json.dumps([SUITE, _BASE_PACKAGES, _DPKG_SETTINGS, _LEFT_OVER, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


#: A bare Debian, which every other root is a copy of at first.
BARE = Recipe(name="bare")


def root(recipe: Recipe, fill: Callable[[Path], None] | None = None) -> Path:
    """Return the folder that holds the root; make it first where it is missing. Raises Failed.

    `fill` may lay further things into it; `recipe.also` has to tell what.
    """
    folder = cache() / f"{recipe.name}-{recipe.digest}"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _make(recipe, unfinished)
        if fill is not None:
            fill(unfinished)
        for old in cache().glob(f"{recipe.name}-*"):
            if old != unfinished:
                shutil.rmtree(old)
        unfinished.rename(folder)
    return folder


def _make(recipe: Recipe, folder: Path) -> None:
    if recipe is BARE:
        included = f"--include={','.join(_BASE_PACKAGES)}"
        run("debootstrap", "--variant=minbase", included, SUITE, folder, debian_mirror())
    else:
        run("cp", "--archive", root(BARE), folder)
    (folder / "etc/apt/apt.conf.d/99-machine").write_text(apt_settings(), encoding="utf-8")
    if AUTHORITIES.exists():
        shutil.copyfile(AUTHORITIES, folder / str(AUTHORITIES)[1:])
    (folder / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text(_DPKG_SETTINGS, encoding="utf-8")
    policy = folder / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    for name, text in recipe.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    if recipe.packages:
        inside(folder, "apt-get", "-q", "update")
        inside(folder, "apt-get", "-q", "-y", "--no-install-recommends", "install", *recipe.packages)
    for command in recipe.commands:
        inside(folder, *command)
    if recipe is not BARE:
        for name in _LEFT_OVER:
            shutil.rmtree(folder / name, ignore_errors=True)


def inside(folder: Path, *command: str, lend: Mapping[Path, Path] | None = None) -> str:
    """Run a command in a root, in a mount namespace of its own; `lend` are paths bound into it read-only.

    It has the machine's network and environment: fetching packages is all that it is for.
    """
    words = [str(word) for pair in (lend or {}).items() for word in pair]
    env = {
        **os.environ,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C.UTF-8",
    }
    return run(
        "unshare", "--mount", HERE / "inside-root", folder, str(len(words)), *words, *command, env=env,
    )  # fmt: skip
