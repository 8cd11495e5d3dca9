"""A PostgreSQL for the tests: a private one, or the one that the environment names."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from devtools.services.discovery import Requirement
from devtools.services.process import ServerProcess, Unavailable, free_port, server_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.certificates import Certificate

#: Seconds.
START_TIMEOUT = 60
OLDEST = 15
#: What durability costs is not what these tests are about; a killed process loses nothing by it.
SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=500", "unix_socket_directories=")


def _locate() -> Path | None:
    """Find the folder of the newest `postgres`: Debian's places first, then the PATH."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    folders.sort(key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0)
    on_path = shutil.which("postgres")
    candidates = folders[::-1] + ([Path(on_path).parent] if on_path else [])
    for folder in candidates:
        if not ((folder / "postgres").exists() and (folder / "initdb").exists()):
            continue
        version = subprocess.run(  # noqa: S603 - a fixed command, no shell
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        major = re.search(r"\d+", version)
        if major is None or int(major[0]) < OLDEST:
            raise Unavailable(f"PostgreSQL: {version.strip()} is too old, {OLDEST} or newer is needed")
        return folder
    return None


REQUIREMENT = Requirement(
    name="PostgreSQL",
    variable="UPDATE_SYNC_TEST_DATABASE_URL",
    packages=("postgresql",),
    locate=_locate,
)


class PostgreSQL:
    """A PostgreSQL that answers, seen from the tests: clean databases in it.

    `url` is SQLAlchemy's form with psycopg as the driver, `postgresql+psycopg://…`.
    """

    origin = "given"

    def __init__(self, *, url: str) -> None:
        self.url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url)
        self._databases: list[str] = []
        self._templates: dict[Callable[[str], object], str] = {}

    def connect(self, url: str | None = None) -> psycopg.Connection:
        """Open a plain, autocommitting connection of psycopg's to this address or the server's own."""
        address = (url or self.url).replace("postgresql+psycopg://", "postgresql://", 1)
        return psycopg.connect(address, autocommit=True, connect_timeout=10)

    @property
    def version(self) -> str:
        """The server's version, e.g. 15.18."""
        with self.connect() as connection:
            major, minor = divmod(connection.info.server_version, 10_000)
        return f"{major}.{minor}"

    def create_database(self, prepare: Callable[[str], object] | None = None) -> str:
        """Make a database and return its address: empty, or as `prepare(url)` leaves it.

        What one `prepare` does is done once and copied from then on, so that migrations are cheap.
        """
        template = None
        if prepare is not None:
            if prepare not in self._templates:
                template_url = self._create(None)
                prepare(template_url)
                self._templates[prepare] = urlsplit(template_url).path[1:]
            template = self._templates[prepare]
        return self._create(template)

    def _create(self, template: str | None) -> str:
        name = f"update_sync_test_{secrets.token_hex(6)}"
        with self.connect() as connection:
            if template is not None:
                # A template must have no connection; an engine's pool in `prepare` may have left one.
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [template]
                )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template or "template0")
                )
            )
        self._databases.append(name)
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def drop_database(self, url: str) -> None:
        """Remove a database that create_database made, and end its connections."""
        name = urlsplit(url).path[1:]
        self._databases.remove(name)
        self._drop(name)

    def _drop(self, name: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Leave the server as it was found."""
        for name in self._databases:
            self._drop(name)
        self._databases.clear()


class PrivatePostgreSQL(PostgreSQL):
    """A PostgreSQL of our own on loopback, that can be stopped, killed and started for fault tests."""

    origin = "private"

    def __init__(
        self, binaries: Path, settings: Sequence[str] = SETTINGS, certificate: Certificate | None = None
    ) -> None:
        """Start it; with a `certificate` it takes TLS as well."""
        self._binaries = binaries
        self._settings = settings
        # PostgreSQL refuses to run as root.
        self._process = ServerProcess("postgresql", user=_unprivileged() if os.geteuid() == 0 else None)
        self._port = free_port()
        self._data = self._process.directory / "data"
        if certificate is not None:
            self._settings = (*settings, *self._tls(certificate))
        password = secrets.token_hex(16)
        super().__init__(url=f"postgresql+psycopg://tests:{password}@127.0.0.1:{self._port}/postgres")
        try:
            self._initialise(password)
            self.start()
        except BaseException:
            self.close()
            raise

    def _tls(self, certificate: Certificate) -> tuple[str, ...]:
        key = self._process.directory / "server.key"
        shutil.copyfile(certificate.key, key)
        # PostgreSQL accepts a key only if other users cannot read it.
        key.chmod(0o600)
        chain = self._process.directory / "server.pem"
        shutil.copyfile(certificate.chain, chain)
        if (user := self._process.user) is not None:
            shutil.chown(key, user, user)
        return "ssl=on", f"ssl_cert_file={chain}", f"ssl_key_file={key}"

    def _initialise(self, password: str) -> None:
        password_file = self._process.directory / "password"
        password_file.write_text(password)
        user = self._process.user
        if user is not None:
            shutil.chown(password_file, user, user)
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell
            [
                self._binaries / "initdb",
                f"--pgdata={self._data}",
                f"--pwfile={password_file}",
                "--username=tests",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            env=server_environment(),
            cwd=self._process.directory,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT,
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"PostgreSQL: initdb failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")

    def start(self) -> None:
        """Start the server, on the data that there are; returns when it answers."""
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self._port)]
        for setting in ("listen_addresses=127.0.0.1", *self._settings):
            command += ["-c", setting]
        self._process.start(command, server_environment())
        self._process.wait_until(self._ready, seconds=START_TIMEOUT)

    def _ready(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Shut down in order, ending every connection; the data stay."""
        # SIGINT is the fast shutdown; SIGTERM would wait for clients to leave (postgres(1)).
        self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """Cut the power; the data stay, and are recovered at the next start."""
        self._process.kill()

    def restart(self) -> None:
        """Shut down in order and start again, at the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and remove its data."""
        self._databases.clear()
        self._process.close()


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise Unavailable("PostgreSQL: refuses to run as root, and there is no user postgres or nobody")


def find() -> PostgreSQL:
    """Return the given PostgreSQL, else start a private one; raise Unavailable with the reason."""
    given = REQUIREMENT.given()
    if given is None:
        return PrivatePostgreSQL(REQUIREMENT.binaries())
    server = PostgreSQL(url=given)
    try:
        server.connect().close()
    except psycopg.OperationalError as error:
        raise Unavailable(f"PostgreSQL: the one in {REQUIREMENT.variable} does not answer: {error}") from None
    return server
