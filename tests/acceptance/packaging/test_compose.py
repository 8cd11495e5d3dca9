"""docker-compose.yml, with its commands started as plain processes: what it says is known to work."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import yaml

from devtools.commands import command_environment, json_output, running, update_sync, wait_for
from devtools.services.process import free_port
from sandbox.municipality.municipality import Municipality
from tests.acceptance.producers.due_times import make_due

if TYPE_CHECKING:
    from devtools.services.postgresql import PostgreSQL

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
USERS = 100


def sandbox_variables() -> dict[str, str]:
    lines = (ROOT / "sandbox.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def interpolated(text: str, variables: dict[str, str]) -> str:
    """Fill in variables as compose does: `${NAME}`, `${NAME:-default}`, `${NAME:?complaint}`."""

    def value(found: re.Match[str]) -> str:
        name, operator, rest = found["name"], found["operator"], found["rest"]
        assert operator != ":?" or variables.get(name), f"{name}: {rest}"
        return variables.get(name) or (rest if operator == ":-" else "")

    return re.sub(r"\$\{(?P<name>\w+)(?:(?P<operator>:-|:\?)(?P<rest>[^}]*))?\}", value, text)


def on_this_host(text: str, addresses: dict[str, str]) -> str:
    for there, here in addresses.items():
        text = text.replace(there, here)
    return text


def test_what_compose_says_works(
    amqp_url: str, postgresql: PostgreSQL, database_url: str, tmp_path: Path
) -> None:
    """The services' commands with the services' environment make a run that completes as expected."""
    shared = tmp_path / "sandbox"
    shared.mkdir()
    # Nothing but addresses is replaced. The stand-ins' is one that only their options tell them: neither
    # 127.0.0.1 nor localhost, which they know by themselves.
    first, second, hub_port = (str(free_port()) for _ in range(3))
    addresses = {
        "amqp://update-sync:sandbox@rabbitmq:5672/%2F": amqp_url,
        "postgresql+psycopg://update-sync:sandbox@postgres:5432/update-sync": database_url,
        "//sandbox:": "//127.0.0.2:",
        "--name=sandbox": "--name=127.0.0.2",
        "0.0.0.0": "127.0.0.2",  # noqa: S104 - what is replaced
        "8443": first,
        "8444": second,
        "8080": hub_port,
        "/sandbox": str(shared),
    }
    variables = {**sandbox_variables(), "SANDBOX_USERS": str(USERS)}

    def process(service: str) -> tuple[list[str], dict[str, str]]:
        described = SERVICES[service]
        program, *arguments = [
            on_this_host(interpolated(word, variables), addresses) for word in described["command"]
        ]
        assert program == "update-sync"
        given = described.get("environment", {})
        env = {name: on_this_host(interpolated(text, variables), addresses) for name, text in given.items()}
        return arguments, command_environment(**{name: text for name, text in env.items() if text})

    upgrade, upgrade_env = process("database")
    done = update_sync(*upgrade, env=upgrade_env)
    assert done.returncode == 0, done.stderr
    with ExitStack() as stack:
        for service in ("sandbox", "producer", "hub", *["worker"] * SERVICES["worker"]["deploy"]["replicas"]):
            arguments, service_env = process(service)
            log = tmp_path / f"{service}.log"
            stack.enter_context(running(*arguments, env=service_env, log=log))
            if service == "sandbox":
                wait_for((shared / "tenant.json").exists, "the sandbox's servers")
        _, env = process("worker")
        wait_for(partial(_answers, f"http://127.0.0.2:{hub_port}/sign-in"), "the Data Hub")
        invited = json_output("hub", "invite", "Made Up", "--role", "operator", env=process("hub")[1])
        assert invited["link"].startswith(f"http://127.0.0.1:{hub_port}/sign-in?link=")
        added = update_sync("tenants", "add", "exempelkommun", "--from", str(shared / "tenant.json"), env=env)
        assert added.returncode == 0, added.stderr
        arguments, service_env = process("scheduler")
        make_due(postgresql, database_url, "exempelkommun", env=env)
        stack.enter_context(running(*arguments, env=service_env, log=tmp_path / "scheduler.log"))
        wait_for(
            lambda: [run["status"] for run in json_output("runs", "list", env=env)] == ["completed"], "a run"
        )
        waited = update_sync("trigger", "exempelkommun", "--wait", "--json", env=env)
        # Dead letters are among the hard cases, so the command says that something is wrong.
        assert waited.returncode == 1, waited.stderr
        run = json_output("runs", "list", env=env)[0]

    assert run["status"] == "completed"
    assert run["published"] == sum(run["outcomes"].values()) == USERS
    assert run["reasons"] == Municipality(USERS).expected_reasons()


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=10).ok
    except requests.ConnectionError:
        return False


def test_compose_starts_things_in_order_and_on_loopback() -> None:
    """RabbitMQ 4, PostgreSQL, the upgrade before everything else, and no port but on loopback."""
    assert SERVICES["rabbitmq"]["image"].startswith("rabbitmq:4")
    assert SERVICES["postgres"]["image"].startswith("postgres:")
    for service in ("producer", "scheduler", "worker", "hub"):
        assert SERVICES[service]["depends_on"]["database"]["condition"] == "service_completed_successfully"
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_compose_gives_the_product_no_rights_and_time_to_end() -> None:
    """Each of the product's containers has no capability, no disk, and more than 10 s to end."""
    product = {name: service for name, service in SERVICES.items() if "build" in service}
    assert product.keys() == {"database", "producer", "scheduler", "worker", "hub", "sandbox"}
    for name, service in product.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["stop_grace_period"] == "15s", name
