"""RabbitMQ and PostgreSQL that are restarted, killed, blocked, or lose their connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from devtools.chaos.environment import Scene
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


def restart_broker(scene: Scene, _event: Event) -> bool:
    """Shut RabbitMQ down in order and start it again."""
    with scene.servers.broker_lock:
        scene.servers.rabbitmq.restart()
    return True


def kill_broker(scene: Scene, _event: Event) -> bool:
    """Kill RabbitMQ and start it again."""
    with scene.servers.broker_lock:
        scene.stopped.wait(SETTLE)
        scene.servers.rabbitmq.kill()
        scene.servers.rabbitmq.start()
    return True


def alarm_broker(scene: Scene, event: Event) -> bool:
    """Raise RabbitMQ's memory alarm for a while: it takes no message from anybody."""
    seconds = LONG_ALARM if event.variant == "long" else event.seconds
    with scene.servers.broker_lock:
        scene.servers.rabbitmq.raise_alarm()
        try:
            scene.stopped.wait(seconds)
        finally:
            scene.servers.rabbitmq.lift_alarm()
    return True


def alarm_broker_among_errors(scene: Scene, event: Event) -> bool:
    """Raise the memory alarm while Skolon fails: the retries can be published nowhere."""
    number = scene.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    alarm_broker(scene, event)
    return scene.stand_ins.take_back(number) < event.times


def cut_broker(scene: Scene, event: Event) -> bool:
    """Reset the connections of the workers, or of the producer, to RabbitMQ."""
    door = scene.broker_of_workers if event.variant == "workers" else scene.broker_of_producer
    before = door.touched
    for _ in range(event.times):
        door.cut()
        scene.stopped.wait(BETWEEN_CUTS)
    return door.touched > before


def hang_broker(scene: Scene, event: Event) -> bool:
    """Stop RabbitMQ's process (SIGSTOP) among Skolon's failures: it takes connections, and is silent."""
    number = scene.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    with scene.servers.broker_lock:
        scene.servers.rabbitmq.hang()
        try:
            scene.stopped.wait(LONG_HANG if event.variant == "long" else event.seconds)
        finally:
            scene.servers.rabbitmq.go_on()
    return scene.stand_ins.take_back(number) < event.times


def lose_name_of_broker(scene: Scene, event: Event) -> bool:
    """Lose the name of RabbitMQ's host among Skolon's failures, and in the midst of that the connections."""
    number = scene.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    scene.names.lose(scene.broker_of_workers.port)
    try:
        scene.stopped.wait(event.seconds / 2)
        scene.broker_of_workers.cut()
        scene.stopped.wait(event.seconds / 2)
    finally:
        scene.names.find()
    return scene.stand_ins.take_back(number) < event.times


def leave_few_files(scene: Scene, event: Event) -> bool:
    """Let no worker process open anything new for a while, among Skolon's failures."""
    number = scene.stand_ins.skolon_fault(kind="status", status=500, times=event.times)
    before = scene.workers.limit_files()
    try:
        scene.stopped.wait(event.seconds)
    finally:
        scene.workers.lift_limits(before)
    # Most requests do not come as far as to Skolon.
    scene.stand_ins.take_back(number)
    return bool(before)


def restart_database(scene: Scene, event: Event) -> bool:
    """Shut PostgreSQL down in order and start it again after a while."""
    with scene.servers.database_lock:
        scene.servers.postgresql.stop()
        scene.stopped.wait(event.seconds)
        scene.servers.postgresql.start()
    return True


def kill_database(scene: Scene, event: Event) -> bool:
    """Kill PostgreSQL and start it again after a while."""
    with scene.servers.database_lock:
        scene.servers.postgresql.kill()
        scene.stopped.wait(event.seconds)
        scene.servers.postgresql.start()
    return True


def cut_database(scene: Scene, event: Event) -> bool:
    """End every connection to the round's database."""
    name = conninfo_to_dict(scene.database_url.replace("+psycopg", "", 1))["dbname"]
    ended = 0
    for _ in range(event.times):
        with scene.servers.database_lock, scene.servers.connect(scene.servers.postgresql.url) as connection:
            row = connection.execute(_TERMINATE, [name]).fetchone()
            ended += row[0] if row else 0
        scene.stopped.wait(BETWEEN_CUTS)
    return ended > 0
