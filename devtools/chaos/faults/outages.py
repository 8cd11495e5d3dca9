"""RabbitMQ and PostgreSQL that are restarted, killed, blocked, or lose their connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from devtools.chaos.environment import Environment
    from devtools.chaos.schedule import Event

#: Seconds that the queues are to exist before RabbitMQ is killed (see PrivateRabbitMQ.kill).
SETTLE: Final = 3.0
#: Seconds between two cuts of the same connections.
BETWEEN_CUTS: Final = 1.5

#: Seconds beyond the patience of the product's publishers, which is a minute.
LONG_ALARM: Final = 66.0

#: Seconds beyond what a connection waits for an answer, and RabbitMQ for a heartbeat.
LONG_HANG: Final = 80.0

_TERMINATE: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def restart_broker(environment: Environment, _event: Event) -> bool:
    """Shut RabbitMQ down in order and start it again."""
    with environment.servers.broker_lock:
        environment.servers.rabbitmq.restart()
    return True


def kill_broker(environment: Environment, _event: Event) -> bool:
    """Kill RabbitMQ and start it again."""
    with environment.servers.broker_lock:
        environment.stopped.wait(SETTLE)
        environment.servers.rabbitmq.kill()
        environment.servers.rabbitmq.start()
    return True


def alarm_broker(environment: Environment, event: Event) -> bool:
    """Raise RabbitMQ's memory alarm for a while: it accepts no message."""
    seconds = LONG_ALARM if event.variant == "long" else event.seconds
    with environment.servers.broker_lock:
        environment.servers.rabbitmq.raise_alarm()
        try:
            environment.stopped.wait(seconds)
        finally:
            environment.servers.rabbitmq.lift_alarm()
    return True


def alarm_broker_among_errors(environment: Environment, event: Event) -> bool:
    """Raise the memory alarm while Skolon fails: the retries can be published nowhere."""
    number = environment.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    alarm_broker(environment, event)
    return environment.stand_ins.take_back(number) < event.times


def cut_broker(environment: Environment, event: Event) -> bool:
    """Reset the connections of the workers, or of the producer, to RabbitMQ."""
    proxy = environment.workers_broker if event.variant == "workers" else environment.producer_broker
    before = proxy.touched
    for _ in range(event.times):
        proxy.cut()
        environment.stopped.wait(BETWEEN_CUTS)
    return proxy.touched > before


def hang_broker(environment: Environment, event: Event) -> bool:
    """Stop RabbitMQ's process (SIGSTOP) among Skolon's failures: it takes connections, and is silent."""
    number = environment.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    with environment.servers.broker_lock:
        environment.servers.rabbitmq.suspend()
        try:
            environment.stopped.wait(LONG_HANG if event.variant == "long" else event.seconds)
        finally:
            environment.servers.rabbitmq.unsuspend()
    return environment.stand_ins.take_back(number) < event.times


def lose_name_of_broker(environment: Environment, event: Event) -> bool:
    """Lose the name of RabbitMQ's host among Skolon's failures, and in the midst of that the connections."""
    number = environment.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    environment.names.lose(environment.workers_broker.port)
    try:
        environment.stopped.wait(event.seconds / 2)
        environment.workers_broker.cut()
        environment.stopped.wait(event.seconds / 2)
    finally:
        environment.names.find()
    return environment.stand_ins.take_back(number) < event.times


def leave_few_files(environment: Environment, event: Event) -> bool:
    """Let no worker process open anything new for a while, among Skolon's failures."""
    number = environment.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    before = environment.workers.limit_files()
    try:
        environment.stopped.wait(event.seconds)
    finally:
        environment.workers.lift_limits(before)
    # Most requests do not come as far as to Skolon.
    environment.stand_ins.take_back(number)
    return bool(before)


def restart_database(environment: Environment, event: Event) -> bool:
    """Shut PostgreSQL down in order and start it again after a while."""
    with environment.servers.database_lock:
        environment.servers.postgresql.stop()
        environment.stopped.wait(event.seconds)
        environment.servers.postgresql.start()
    return True


def kill_database(environment: Environment, event: Event) -> bool:
    """Kill PostgreSQL and start it again after a while."""
    with environment.servers.database_lock:
        environment.servers.postgresql.kill()
        environment.stopped.wait(event.seconds)
        environment.servers.postgresql.start()
    return True


def cut_database(environment: Environment, event: Event) -> bool:
    """End every connection to the round's database."""
    name = conninfo_to_dict(environment.database_url.replace("+psycopg", "", 1))["dbname"]
    ended = 0
    for _ in range(event.times):
        with (
            environment.servers.database_lock,
            environment.servers.connect(environment.servers.postgresql.url) as connection,
        ):
            row = connection.execute(_TERMINATE, [name]).fetchone()
            ended += row[0] if row else 0
        environment.stopped.wait(BETWEEN_CUTS)
    return ended > 0
