"""Commands that have to succeed, and what is said when one does not."""

from __future__ import annotations

import subprocess
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Seconds for one command: far more than any takes, so that only what hangs is cut off.
DEADLINE = 900
#: Lines of a command's output that an error shows.
TAIL = 40


class Failed(Exception):  # noqa: N818 - a fact about what was tried, told to a person
    """Something that was tried did not work; the text says what, and how it ended."""


def attempt(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    seconds: float = DEADLINE,
    stdin: IO[bytes] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever that is. Raises Failed when it takes longer than `seconds`."""
    words = [str(word) for word in command]
    try:
        return subprocess.run(  # noqa: S603 - commands of our own, no shell
            words,
            env=dict(env) if env is not None else None,
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"`{' '.join(words)}` took longer than {seconds:.0f} s") from None
    except OSError as error:
        raise Failed(f"`{' '.join(words)}` could not be started: {error}") from None


def run(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    seconds: float = DEADLINE,
    stdin: IO[bytes] | None = None,
) -> str:
    """Run a command that has to succeed, and return what it printed. Raises Failed."""
    done = attempt(*command, env=env, seconds=seconds, stdin=stdin)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL:])
        raise Failed(f"`{' '.join(map(str, command))}` ended with {done.returncode}:\n{tail}")
    return done.stdout
