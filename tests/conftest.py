"""What every test may ask for: real servers, and the certainty that unit tests open no socket."""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
import structlog
from hypothesis import settings

from devtools.commands import forked_commands, new_processes
from devtools.services import chromium as chromium_service
from devtools.services import postgresql as postgresql_service
from devtools.services import rabbitmq as rabbitmq_service
from devtools.services import sharing
from devtools.services.process import Unavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from xdist.workermanage import WorkerController

    from devtools.services.discovery import Requirement
    from devtools.services.postgresql import PostgreSQL
    from devtools.services.rabbitmq import RabbitMQ

UNIT = Path(__file__).parent / "unit"
#: What a test may not do when it is a unit test (Python's audit events; loopback is a network too).
NETWORK = {"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
#: The servers by the name of the session fixture that hands them out.
REQUIREMENTS: dict[str, Requirement[Path]] = {
    "rabbitmq": rabbitmq_service.REQUIREMENT,
    "postgresql": postgresql_service.REQUIREMENT,
    "chromium": chromium_service.REQUIREMENT,
}


@dataclass(kw_only=True)
class RanAgainst:
    """What the terminal's last lines say: the servers in use, and what was left out and why."""

    servers: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Network:
    """Whether the test that runs now may use the network."""

    forbidden: bool = False


# A time limit for each example would judge the machine and what else it does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

RAN_AGAINST = pytest.StashKey[RanAgainst]()
NETWORK_STATE = pytest.StashKey[Network]()
#: The directory in which the workers of a parallel run ask for servers (pytest-xdist: `-n`).
SERVERS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RAN_AGAINST] = RanAgainst()
    state = config.stash[NETWORK_STATE] = Network()

    def audit(event: str, _: object) -> None:
        if state.forbidden and event in NETWORK:
            raise RuntimeError(f"a unit test may not use the network ({event})")

    # An audit hook stays for good, and sees what C code does through Python's sockets too.
    sys.addaudithook(audit)
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        config.stash[SERVERS] = Path(workerinput["servers"])
    if workerinput is not None or not config.getoption("numprocesses", None):
        # Hardly anything is garbage until all tests are collected: to look for it took a fifth of that time.
        gc.disable()
    else:
        shared = sharing.SharedServers()
        config.stash[SERVERS] = shared.directory
        config.add_cleanup(shared.close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker of a parallel run where to ask for servers."""
    node.workerinput["servers"] = str(node.config.stash[SERVERS])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Take over what a worker ran against."""
    output = getattr(node, "workeroutput", None) or {}
    ran_against = node.config.stash[RAN_AGAINST]
    ran_against.servers.update(output.get("servers", {}))
    ran_against.missing.update(output.get("missing", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        ran_against = session.config.stash[RAN_AGAINST]
        output.update(servers=ran_against.servers, missing=ran_against.missing)


def pytest_itemcollected(item: pytest.Item) -> None:
    for name in REQUIREMENTS:
        if name in getattr(item, "fixturenames", ()):
            item.add_marker(name)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find or install the servers that chosen tests need, before any test's own time runs."""
    if session.config.option.collectonly:
        return
    # Modules and tests stay to the end: to look through them for garbage takes up to a second each time.
    gc.collect()
    gc.freeze()
    gc.enable()
    missing = session.config.stash[RAN_AGAINST].missing
    directory = session.config.stash.get(SERVERS, None)
    for name, requirement in REQUIREMENTS.items():
        if not any(item.get_closest_marker(name) for item in session.items):
            continue
        if directory is not None:
            sharing.request(directory, name)
        elif requirement.given() is None:
            try:
                requirement.binaries()
            except Unavailable as error:
                missing[name] = str(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape half surrogates that a test has captured: a report goes to the main process as UTF-8."""
    report = yield
    report.sections = [(name, _as_utf8(text)) for name, text in report.sections]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ran_against = config.stash[RAN_AGAINST]
    libraries = {name: f"{name} {version(name)}" for name in ("scim2-server", "msgraph-sdk")}
    terminalreporter.section("ran against")
    terminalreporter.line(", ".join([*ran_against.servers.values(), *libraries.values()]))
    for name, reason in ran_against.missing.items():
        terminalreporter.line(f"left out what needs {name}: {reason}")


def _as_utf8(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def leave_out(config: pytest.Config, name: str, reason: str) -> NoReturn:
    """Skip on a laptop, fail in CI: there, a test that silently did not run is a fault."""
    config.stash[RAN_AGAINST].missing[name] = reason
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _no_network_in_unit_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    state = request.config.stash[NETWORK_STATE]
    state.forbidden = request.path.is_relative_to(UNIT)
    yield
    state.forbidden = False


@pytest.fixture(scope="session", autouse=True)
def _replaceable_loggers() -> Iterator[None]:
    """Keep structlog from caching loggers: `capture_logs` would not see what a cached one writes."""
    configure = structlog.configure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            structlog,
            "configure",
            lambda **settings: configure(**settings | {"cache_logger_on_first_use": False}),
        )
        yield


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Undo what a command that ran in this process has set up for its log."""
    handlers = list(logging.getLogger().handlers)
    yield
    if structlog.is_configured():
        logging.getLogger().handlers[:] = handlers
        structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def _quick_commands(pytestconfig: pytest.Config) -> Iterator[None]:
    """Fork commands from processes that have imported them, once a test runs one."""
    directory = pytestconfig.stash.get(SERVERS, None)
    with forked_commands(partial(sharing.find_command_server, directory) if directory else None):
        yield


@pytest.fixture
def real_processes() -> Iterator[None]:
    """Start each command as an operator does: for tests of how processes start and end."""
    with new_processes():
        yield


@pytest.fixture(scope="session")
def rabbitmq(pytestconfig: pytest.Config) -> Iterator[RabbitMQ]:
    """Give the RabbitMQ of this test run; tests that stop or kill one start a private one."""
    ran_against = pytestconfig.stash[RAN_AGAINST]
    if reason := ran_against.missing.get("rabbitmq"):
        leave_out(pytestconfig, "rabbitmq", reason)
    try:
        directory = pytestconfig.stash.get(SERVERS, None)
        server = sharing.find_rabbitmq(directory) if directory else rabbitmq_service.find()
    except Unavailable as error:
        leave_out(pytestconfig, "rabbitmq", str(error))
    with closing(server):
        ran_against.servers["rabbitmq"] = f"RabbitMQ {server.version} ({server.origin})"
        yield server


@pytest.fixture
def amqp_url(rabbitmq: RabbitMQ) -> Iterator[str]:
    """Give an empty virtual host of the test's own."""
    url = rabbitmq.create_vhost()
    yield url
    rabbitmq.delete_vhost(url)


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config) -> Iterator[PostgreSQL]:
    """Give the PostgreSQL of this test run; tests that stop or kill one start a private one."""
    ran_against = pytestconfig.stash[RAN_AGAINST]
    if reason := ran_against.missing.get("postgresql"):
        leave_out(pytestconfig, "postgresql", reason)
    try:
        directory = pytestconfig.stash.get(SERVERS, None)
        server = sharing.find_postgresql(directory) if directory else postgresql_service.find()
    except Unavailable as error:
        leave_out(pytestconfig, "postgresql", str(error))
    with closing(server):
        ran_against.servers["postgresql"] = f"PostgreSQL {server.version} ({server.origin})"
        yield server


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Path:
    """Give the program Chromium."""
    ran_against = pytestconfig.stash[RAN_AGAINST]
    if reason := ran_against.missing.get("chromium"):
        leave_out(pytestconfig, "chromium", reason)
    try:
        directory = pytestconfig.stash.get(SERVERS, None)
        program = sharing.find_chromium(directory) if directory else chromium_service.find()
    except Unavailable as error:
        leave_out(pytestconfig, "chromium", str(error))
    ran_against.servers["chromium"] = f"Chromium ({program})"
    return program


@pytest.fixture
def database_url(postgresql: PostgreSQL) -> Iterator[str]:
    """Give an empty database of the test's own."""
    url = postgresql.create_database()
    yield url
    postgresql.drop_database(url)
