"""Start the private servers, print the environment that uses them, and keep them until Ctrl-C."""

from __future__ import annotations

import secrets
import signal
import sys
from base64 import urlsafe_b64encode
from contextlib import ExitStack, closing

from devtools.services import postgresql, rabbitmq
from devtools.services.process import Unavailable


def main() -> int:
    """Print `export` lines on standard output, everything else on standard error."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A shell starts background commands with SIGINT ignored; who sends it means it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ExitStack() as stack:
        try:
            print("Starting RabbitMQ and PostgreSQL …", file=sys.stderr)  # noqa: T201 - a command's output
            broker = stack.enter_context(closing(rabbitmq.find()))
            database = stack.enter_context(closing(postgresql.find()))
        except Unavailable as error:
            print(error, file=sys.stderr)  # noqa: T201 - as above
            return 1
        sealing_key = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        lines = {
            "UPDATE_SYNC_AMQP_URL": broker.url,
            "UPDATE_SYNC_DATABASE_URL": database.create_database(),
            "UPDATE_SYNC_SECRET_KEYS": sealing_key,
            "UPDATE_SYNC_TEST_AMQP_URL": broker.url,
            "UPDATE_SYNC_TEST_DATABASE_URL": database.url,
            "UPDATE_SYNC_TEST_MANAGEMENT_URL": broker.management_url,
        }
        for name, value in lines.items():
            print(f"export {name}='{value}'", flush=True)  # noqa: T201 - as above
        print(  # noqa: T201 - as above
            f"RabbitMQ {broker.version} ({broker.origin}) and PostgreSQL {database.version}"
            f" ({database.origin}) are up. Paste the lines above into another terminal; Ctrl-C ends both.",
            file=sys.stderr,
        )
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("Ending them …", file=sys.stderr)  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
