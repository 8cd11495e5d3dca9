"""A container engine, as its command line drives it."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from devtools.containers.commands import TAIL, Failed, attempt, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

#: Keeps what is made here apart from what else the engine holds.
PROJECT = "update-sync-image-test"
#: What a person types before a command, to have the stand-ins for Entra, Graph and Skolon too.
SANDBOX = ("--env-file", "sandbox.env", "--profile", "sandbox")
_PLAIN = ("--ansi=never", "--progress=plain")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """`words` come before `docker`, to get to where the engine is; `about` says which one it is."""

    about: str
    words: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def _env(self) -> dict[str, str]:
        return {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, **self.variables}

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `docker` to its end, whatever that is."""
        return attempt(*self.words, "docker", *arguments, env=self._env())

    def docker(self, *arguments: str) -> str:
        """Run `docker`, and return what it printed. Raises Failed."""
        return run(*self.words, "docker", *arguments, env=self._env())

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` with the sandbox, and return what it printed. Raises Failed."""
        return self.docker("compose", *_PLAIN, *SANDBOX, *arguments)

    def typed(self, line: str, *, codes: Sequence[int] = (0,)) -> None:
        """Run a line that begins with `docker`, as a person types it. Raises Failed."""
        done = self.attempt(*shlex.split(line)[1:])
        if done.returncode not in codes:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL:])
            raise Failed(f"`{line}` ended with {done.returncode}:\n{tail}")

    def update_sync(self, *arguments: str) -> Any:
        """Run one of the product's commands in a worker's container, and return the JSON that it printed."""
        command = ("exec", "--no-TTY", "worker", "update-sync", *arguments, "--json")
        return json.loads(self.compose(*command))
