"""What the engine says about the containers of our project, and about their ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from devtools.containers.engine import PROJECT

if TYPE_CHECKING:
    from devtools.containers.engine import Engine

_OURS = f"label=com.docker.compose.project={PROJECT}"


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container as it is now. `health` is empty where nothing asks for it."""

    name: str
    service: str
    state: str
    health: str
    exit_code: int


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a container that was asked to end did so: its exit code, and after how many seconds."""

    name: str
    exit_code: int
    seconds: float


def containers(engine: Engine, *services: str) -> list[Container]:
    """Return the containers of the services, or of all, those that have ended too."""
    lines = engine.compose("ps", "--all", "--format", "json", *services).splitlines()
    return [
        Container(
            name=told["Name"],
            service=told["Service"],
            state=told["State"],
            health=told["Health"],
            exit_code=told["ExitCode"],
        )
        for told in map(json.loads, lines)
    ]


def moment(engine: Engine) -> str:
    """Return the engine's own time, as it takes it in questions about events."""
    time: str = json.loads(engine.docker("info", "--format", "json"))["SystemTime"]
    return time


def endings(engine: Engine, since: str) -> list[Ending]:
    """Return how the containers ended that were asked to since then."""
    asked: dict[str, int] = {}
    found = []
    for event in _events(engine, since):
        about = event["Actor"]["Attributes"]
        if event["Action"] == "kill":
            asked.setdefault(about["name"], event["timeNano"])
        elif event["Action"] == "die" and about["name"] in asked:
            seconds = (event["timeNano"] - asked.pop(about["name"])) / 1e9
            found.append(Ending(name=about["name"], exit_code=int(about["exitCode"]), seconds=seconds))
    return sorted(found, key=lambda ending: ending.name)


def left_behind(engine: Engine) -> list[str]:
    """Return the names of what the engine still holds of our project: containers, networks, volumes."""
    kinds = (("container", "--all"), ("network",), ("volume",))
    return [
        name
        for kind, *options in kinds
        for name in engine.docker(kind, "ls", *options, "--quiet", "--filter", _OURS).split()
    ]


def _events(engine: Engine, since: str) -> list[dict[str, Any]]:
    told = engine.docker(
        "events", "--since", since, "--until", moment(engine), "--filter", _OURS,
        "--filter", "event=kill", "--filter", "event=die", "--format", "json",
    )  # fmt: skip
    return [json.loads(line) for line in told.splitlines()]
