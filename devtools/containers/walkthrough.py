"""Follow docs/operating.md with docker-compose.yml, and check what comes of each line."""

from __future__ import annotations

import json
import time
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from devtools.containers.commands import Failed
from devtools.containers.stand_in_images import REPOSITORY
from devtools.containers.states import containers, endings, left_behind, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from devtools.containers.engine import Engine

_SANDBOX = "docker compose --env-file sandbox.env --profile sandbox"
_WORKER = "docker compose --env-file sandbox.env exec worker"
#: What an operator types, line by line; docs/operating.md has the same lines.
UP = f"{_SANDBOX} up --build --detach"
ADD = f"{_WORKER} update-sync tenants add exempelkommun --from /sandbox/tenant.json"
TRIGGER = f"{_WORKER} update-sync trigger exempelkommun --wait"
SCALE = f"{_SANDBOX} up --detach --scale worker=3"
RESTART = f"{_SANDBOX} restart worker"
STOP = f"{_SANDBOX} stop"
DOWN = f"{_SANDBOX} down --volumes"
DOCUMENTED = (UP, ADD, TRIGGER, SCALE, RESTART, STOP, DOWN)

#: So many made-up people that a run is not over before something is done to it.
PEOPLE = 3000
_TENANT = "exempelkommun"
#: The hard cases of the made-up municipality. Anything else would be a fault.
EXPECTED_REASONS = {"ambiguous_match", "collision", "invalid_user", "suspicious_match", "value_taken"}
#: How a process ends that ends when it is asked to: by itself, or by the signal (128 + 15).
_ENDED_AS_ASKED = (0, 143)
#: Seconds that anything here is waited for.
_PATIENCE = 600

#: Asked inside a container: which files are missing, and what the process may do.
_LOOK = """
import json, os, pathlib, sys
import cli
top = pathlib.Path(cli.__file__).parents[1]
status = dict(line.split(":\\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
writable = [path for path in ("/", "/opt", "/sandbox", str(top)) if os.access(path, os.W_OK)]
print(json.dumps({
    "missing": [name for name in sys.argv[1:] if not (top / name).is_file()],
    "user": os.getuid(),
    "rights": int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapBnd"], 16),
    "no_new": status["NoNewPrivs"],
    "writable": writable,
}))
"""


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - what this command prints


@contextmanager
def step(what: str) -> Iterator[None]:
    """Time a step, and print what it was."""
    began = time.monotonic()
    try:
        yield
    except Failed:
        say(f"{time.monotonic() - began:7.1f} s  FAILED  {what}")
        raise
    say(f"{time.monotonic() - began:7.1f} s  {what}")


def walk(engine: Engine) -> None:
    """Go the whole way once, and take everything down. Raises Failed."""
    engine.compose("down", "--volumes", "--remove-orphans")  # what a broken-off run left
    try:
        _up(engine)
        _image_is_whole(engine)
        with step("tenants add, tenants check"):
            engine.typed(ADD)
            engine.update_sync("tenants", "check", _TENANT)
        with step(f"trigger --wait: {PEOPLE} people"):
            # 1: dead letters are among the hard cases, and the command says that something is wrong.
            engine.typed(TRIGGER, codes=(1,))
            _completed(_newest_run(engine))
        with step("up --scale worker=3"):
            engine.typed(SCALE)
            _until(lambda: _running(engine, "worker") == 3, "three workers")
        _restarted_in_mid_run(engine)
        _stopped(engine)
    except Failed:
        say(engine.compose("ps", "--all"))
        say(engine.compose("logs", "--no-color", "--tail=20"))
        raise
    finally:
        with step("down --volumes"):
            engine.typed(DOWN)
    if left := left_behind(engine):
        raise Failed(f"something is left behind: {left}")


def _up(engine: Engine) -> None:
    with step("up --build: every service runs, and is healthy where that is asked"):
        engine.typed(UP)
        _until(lambda: _all_up(engine), "every service")


def _all_up(engine: Engine) -> bool:
    for container in containers(engine):
        if container.state == "exited" and container.exit_code:
            raise Failed(f"{container.name} ended with {container.exit_code}")
        if container.service == "database":
            if container.state != "exited":
                return False
        elif container.state != "running" or container.health not in ("", "healthy"):
            return False
    return True


def _image_is_whole(engine: Engine) -> None:
    with step("the image holds every file of every package, and its processes have no rights"):
        pyproject: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
        packages = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        files = sorted(
            str(path.relative_to(REPOSITORY))
            for name in packages
            for path in (REPOSITORY / name).rglob("*.py")
        )
        seen = json.loads(engine.compose("exec", "--no-TTY", "worker", "python3", "-c", _LOOK, *files))
        confined = {"missing": [], "rights": 0, "no_new": "1", "writable": []}
        if not seen.pop("user") or seen != confined:
            raise Failed(f"in a worker's container it is not as it should be: {seen}")
        engine.docker("run", "--rm", "skolon-update-sync", "update-sync", "new-key")


def _restarted_in_mid_run(engine: Engine) -> None:
    with step("restart worker, in mid-run: the run completes all the same"):
        engine.update_sync("trigger", _TENANT, "--recheck-all")
        _until(lambda: _is_in_mid_run(engine), "a run that is under way")
        since = moment(engine)
        engine.typed(RESTART)
        _ended_well(engine, since)
        _until(lambda: _newest_run(engine)["status"] not in ("reading", "updating"), "the run's end")
        _completed(_newest_run(engine))


def _is_in_mid_run(engine: Engine) -> bool:
    run = _newest_run(engine)
    if run["status"] == "completed" and run["run"] != 1:
        raise Failed("the run was over before the workers could be restarted: it needs more people")
    done: int = sum(run["outcomes"].values())
    return bool(run["run"] != 1) and 0 < done < PEOPLE


def _stopped(engine: Engine) -> None:
    with step("stop: everything ends by itself in time"):
        since = moment(engine)
        engine.typed(STOP)
        _ended_well(engine, since)


def _ended_well(engine: Engine, since: str) -> None:
    """Say how each container ended, and check that none had to be killed (137): its grace period sufficed."""
    ended = endings(engine, since)
    for ending in ended:
        say(f"{'':11}{ending.name} ended with {ending.exit_code} after {ending.seconds:.1f} s")
    bad = [ending.name for ending in ended if ending.exit_code not in _ENDED_AS_ASKED]
    if bad or not ended:
        raise Failed(f"not all ended as they were asked to: {bad or 'nothing ended at all'}")


def _running(engine: Engine, service: str) -> int:
    return sum(container.state == "running" for container in containers(engine, service))


def _newest_run(engine: Engine) -> dict[str, Any]:
    runs: list[dict[str, Any]] = engine.update_sync("runs", "list")
    return runs[0]


def _completed(run: dict[str, Any]) -> None:
    """Check that every user has an outcome, and that no dead letter is the deployment's fault."""
    whole = run["published"] == sum(run["outcomes"].values()) == PEOPLE
    if run["status"] != "completed" or not whole or not set(run["reasons"]) <= EXPECTED_REASONS:
        raise Failed(f"the run is not as it should be: {json.dumps(run)}")


def _until(look: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE
    while not look():
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {_PATIENCE} s")
        time.sleep(0.2)
