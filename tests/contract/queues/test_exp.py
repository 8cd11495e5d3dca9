from __future__ import annotations
import logging, time
from tests.contract.queues.doors import *
from tests.contract.queues.test_brokers import user_message
from queues.actors import declare_actor
def test_x(amqp_url, caplog):
    door = QuorumDoor(amqp_url)
    calls=Calls()
    declare_actor(door.broker, calls, name="user_sync", queue="user-sync", recorder=Books())
    with working(door.broker):
        door.broker.publish([user_message("u1")])
        wait_until(lambda: len(calls.done) == 1, "the first message")
        with door.channel() as ch: ch.queue_delete("user-sync")
        door.broker.publish([user_message("u2")])
        for i in range(10):
            time.sleep(1)
            with door.channel() as ch:
                m=ch.queue_declare("user-sync",passive=True).method
            print("COUNT", m.message_count, m.consumer_count, len(calls.done))
    print(caplog.text)
    assert 0
