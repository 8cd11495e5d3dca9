"""A process that walks and stays where it is, until it is killed: `python -m … URL QUEUE UPTO TAKE_EACH`."""

from __future__ import annotations

import sys
from itertools import islice

from queues.brokers.rabbitmq import QuorumBroker

url, queue, upto, take_each = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with QuorumBroker(url).browse_dead_letters(queue) as browser:
    for number, found in enumerate(islice(browser, upto), start=1):
        if take_each and not number % take_each:
            browser.ack(found)
    # Long enough that what was taken is known to be taken.
    browser.pause(0.2)
    sys.stdout.write("there\n")
    sys.stdout.flush()
    sys.stdin.read()
