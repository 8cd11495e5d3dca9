"""A RabbitMQ for the tests: a private one, or the one that the environment names.

Virtual hosts come and go through the management plugin's HTTP API, which takes 25 ms where rabbitmqctl
takes two seconds, and which works the same on a given server of any version.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import requests

from devtools.services.discovery import Requirement
from devtools.services.process import ServerProcess, Unavailable, free_port, server_environment

if TYPE_CHECKING:
    from sandbox.certificates import Certificate

#: Seconds. A first start takes five on an idle machine.
START_TIMEOUT = 120
#: Debian's /usr/sbin/rabbitmq-server changes user with su; the real script is here.
DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
default_user = tests
default_pass = {password}
disk_free_limit.absolute = 1MB
raft.wal_max_size_bytes = 33554432
"""

TLS = """\
listeners.ssl.1 = 127.0.0.1:{amqps}
ssl_options.cacertfile = {authority}
ssl_options.certfile = {chain}
ssl_options.keyfile = {key}
ssl_options.verify = verify_none
"""


def _locate() -> Path | None:
    """Find the server's start script: Debian's, or the one on the PATH."""
    if DEBIAN.exists():
        return DEBIAN
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


REQUIREMENT = Requirement(
    name="RabbitMQ",
    variable="UPDATE_SYNC_TEST_AMQP_URL",
    packages=("rabbitmq-server",),
    locate=_locate,
)


class RabbitMQ:
    """A RabbitMQ that answers, seen from the tests: its address and clean virtual hosts in it.

    `url` is AMQP with user and password; `management_url` is the HTTP API's, with the same user.
    """

    origin = "given"

    def __init__(self, *, url: str, management_url: str) -> None:
        self.url = url
        self.management_url = management_url.rstrip("/")
        address = urlsplit(url)
        self._user = address.username or "guest"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (self._user, address.password or "guest")
        self._vhosts: list[str] = []

    def call(self, method: str, path: str, json: object = None) -> requests.Response:
        """Call the management API; `path` is what follows /api, and errors are those of requests."""
        answer = self._session.request(method, f"{self.management_url}/api{path}", json=json, timeout=30)
        answer.raise_for_status()
        return answer

    @property
    def version(self) -> str:
        """The server's version, e.g. 3.10.8."""
        return str(self.call("GET", "/overview").json()["rabbitmq_version"])

    def create_vhost(self) -> str:
        """Make an empty virtual host; returns its AMQP address."""
        name = f"update-sync-test-{secrets.token_hex(6)}"
        self.call("PUT", f"/vhosts/{name}")
        self._vhosts.append(name)
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        self.call("PUT", f"/permissions/{name}/{quote(self._user, safe='')}", json=rights)
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def delete_vhost(self, url: str) -> None:
        """Remove a virtual host that create_vhost made, with its queues and connections."""
        name = urlsplit(url).path.removeprefix("/")
        self._vhosts.remove(name)
        self.call("DELETE", f"/vhosts/{name}")

    def close(self) -> None:
        """Leave the server as it was found."""
        for name in self._vhosts:
            with suppress(requests.RequestException):
                self.call("DELETE", f"/vhosts/{name}")
        self._vhosts.clear()
        self._session.close()


class PrivateRabbitMQ(RabbitMQ):
    """A RabbitMQ of our own on loopback, that can be stopped, killed and started for fault tests.

    Its ports, node name, cookie, epmd and data are its own: another broker on the machine is not touched.
    """

    origin = "private"

    def __init__(self, script: Path, certificate: Certificate | None = None) -> None:
        """Start it; with a `certificate` it takes AMQP over TLS as well, at `tls_url`."""
        self._script = script
        self._suspended = 0
        self._process = ServerProcess("rabbitmq")
        amqp, management, self._epmd, self._distribution = (free_port() for _ in range(4))
        password = secrets.token_hex(16)
        self._node = f"update-sync-{secrets.token_hex(4)}@localhost"
        super().__init__(
            url=f"amqp://tests:{password}@127.0.0.1:{amqp}/%2F",
            management_url=f"http://127.0.0.1:{management}",
        )
        directory = self._process.directory
        settings = CONFIGURATION.format(amqp=amqp, management=management, password=password)
        if certificate is not None:
            amqps = free_port()
            self.tls_url = f"amqps://tests:{password}@127.0.0.1:{amqps}/%2F"
            settings += TLS.format(
                amqps=amqps,
                authority=certificate.authority,
                chain=certificate.chain,
                key=certificate.key,
            )
        (directory / "rabbitmq.conf").write_text(settings)
        (directory / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (directory / "rabbitmq-env.conf").write_text("")
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start the server, on the data that there are; returns when it answers."""
        self._process.start([str(self._script)], self._environment())
        self._process.wait_until(self._ready, seconds=START_TIMEOUT)

    def _environment(self) -> dict[str, str]:
        directory = self._process.directory
        return server_environment(
            HOME=str(directory),
            ERL_EPMD_ADDRESS="127.0.0.1",
            ERL_EPMD_PORT=str(self._epmd),
            RABBITMQ_CONFIG_FILE=str(directory / "rabbitmq.conf"),
            RABBITMQ_CONF_ENV_FILE=str(directory / "rabbitmq-env.conf"),
            RABBITMQ_DIST_PORT=str(self._distribution),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(directory / "enabled_plugins"),
            RABBITMQ_LOGS="-",
            RABBITMQ_LOG_BASE=str(directory / "log"),
            RABBITMQ_MNESIA_BASE=str(directory / "data"),
            RABBITMQ_NODENAME=self._node,
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}",
            # The script then becomes the server, in place of a shell that waits for it.
            RUNNING_UNDER_SYSTEMD="true",
        )

    def _ready(self) -> bool:
        try:
            # The listeners open last: a node that runs but takes no connections is not ready.
            node = self.call("GET", "/nodes").json()[0]
            listeners = self.call("GET", "/overview").json()["listeners"]
        except (requests.RequestException, LookupError):
            return False
        return bool(node["running"]) and any(one["protocol"] == "amqp" for one in listeners)

    def raise_alarm(self) -> None:
        """Raise the memory alarm: RabbitMQ blocks all publishers until `lift_alarm` or a start."""
        self._watermark("0.000001")

    def lift_alarm(self) -> None:
        """Lift the memory alarm."""
        self._watermark("0.4")

    def _watermark(self, share: str) -> None:
        # The management API cannot set it.
        self.control("set_vm_memory_high_watermark", share)

    def control(self, *arguments: str, stdin: str = "") -> None:
        """Run rabbitmqctl, which takes a second or two."""
        subprocess.run(  # noqa: S603 - RabbitMQ's own command, no shell
            [str(self._script.with_name("rabbitmqctl")), "-n", self._node, *arguments],
            env=self._environment(),
            input=stdin,
            text=True,
            capture_output=True,
            check=True,
            timeout=START_TIMEOUT,
        )

    def suspend(self) -> None:
        """Stop the server's process (SIGSTOP): it takes connections and says nothing until `unsuspend`."""
        self._suspended = int(self.call("GET", "/nodes").json()[0]["os_pid"])
        os.kill(self._suspended, signal.SIGSTOP)

    def unsuspend(self) -> None:
        """Have a server that hangs go on."""
        os.kill(self._suspended, signal.SIGCONT)

    def stop(self) -> None:
        """Shut down in order; the data stay."""
        self._process.stop(signal.SIGTERM)

    def kill(self) -> None:
        """Cut the power; the data stay.

        A quorum queue that was declared within the last second may come back without a leader, because
        RabbitMQ 3.10 writes its registration to disk a moment after it confirms the declaration. Declare,
        then `restart`, then kill.
        """
        self._process.kill()

    def restart(self) -> None:
        """Shut down in order and start again, at the same address."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and remove its data."""
        self._session.close()
        self._process.close()


def find() -> RabbitMQ:
    """Return the given RabbitMQ, else start a private one; raise Unavailable with the reason."""
    given = REQUIREMENT.given()
    if given is None:
        return PrivateRabbitMQ(REQUIREMENT.binaries())
    host = urlsplit(given).hostname
    management = os.environ.get("UPDATE_SYNC_TEST_MANAGEMENT_URL") or f"http://{host}:15672"
    server = RabbitMQ(url=given, management_url=management)
    try:
        server.call("GET", "/overview")
    except requests.RequestException as error:
        server.close()
        raise Unavailable(
            f"RabbitMQ: its management API does not answer at {management} ({type(error).__name__}): enable"
            " the plugin rabbitmq_management, or set UPDATE_SYNC_TEST_MANAGEMENT_URL"
        ) from None
    return server
