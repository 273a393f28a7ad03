"""Mail for other servers under kill -9: what was acknowledged on submission is in the queue, each recipient exactly once.

The server's resolver points nowhere, so nothing leaves and nothing is returned: the queue only grows.
"""
import json
import threading

import mail
from clients import address

MOST_RECIPIENTS = 10  # as many as a list of the queue shows of each message


class QueueLedger:
    """Recipients by marker: the local part of the address, which occurs once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = []       # markers of messages without an answer, one list for each: all or none
        self.there = set()   # markers that were acknowledged

    def begin(self, markers):
        with self.lock:
            self.sent.append(markers)

    def acknowledged(self, markers):
        with self.lock:
            self.sent.remove(markers)
            self.there.update(markers)

    def problems(self, found):
        """`found`: marker -> how often it is in the queue."""
        out = ["%s: acknowledged, and %d times in the queue" % (m, found.get(m, 0)) for m in self.there if found.get(m, 0) != 1]
        known = self.there.union(*self.sent)
        out += ["%s is in the queue and was never sent" % m for m in found if m not in known]
        for markers in self.sent:
            counts = {found.get(m, 0) for m in markers}
            if counts not in ({0}, {1}):
                out.append("half queued: %s" % markers)
        return out

    def settle(self, found):
        self.there, self.sent = set(found), []


def queue_load(scene, ledger, user, rng):
    client = mail.submission(scene, address(user))
    while True:
        markers = ["q" + mail.unique() for _ in range(rng.choice([1, 1, 3, MOST_RECIPIENTS]))]
        text = mail.message(markers[0], sender=address(user), body="x" * 60 + "\r\n" * rng.choice([1, 40]))
        scene.queued.begin(markers)
        client.sendmail(address(user), ["%s@far%d.test" % (m, i % 4) for i, m in enumerate(markers)], text)
        scene.queued.acknowledged(markers)
        ledger.acknowledged("QUEUE")


def look_at_queue(server):
    """marker -> how often it is in the queue."""
    found = {}
    for item in json.loads(server.cli("queue", "list", "--json").stdout)["items"]:
        for recipient in item["recipients"]:
            marker = recipient["address"].partition("@")[0]
            found[marker] = found.get(marker, 0) + 1
    return found


def finds_lies(ledger, found):
    """Falsified ledgers that must not pass; the true one must."""
    problems = ledger.problems(found)
    if not ledger.there:
        return problems + ["nothing is queued to lie about"]
    one = sorted(ledger.there)[0]
    for name, there, sent, more in [("a lost recipient", ledger.there | {"never-sent"}, [], {}),
                                    ("a recipient nobody named", ledger.there - {one}, [], {}),
                                    ("half a message", ledger.there - {one}, [[one, "never-sent"]], {}),
                                    ("a recipient queued twice", ledger.there, [], {one: 2})]:
        false = QueueLedger()
        false.there, false.sent = there, sent
        if not false.problems({**found, **more}):
            problems.append("not found: " + name)
    return problems
