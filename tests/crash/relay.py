#!/usr/bin/python3
"""kill -9 while mail is taken from users and handed on, with a ledger on both sides: what the server acknowledged to its users, and
what the next server (a sink in this process) acknowledged to it.

usage: relay.py POSTHUS [--rounds N] [--seed N]    ROUNDS=N in the environment is the default of --rounds
Every recipient that was acknowledged reaches the sink, what was not acknowledged reaches it whole or not at all. It reaches it once,
but for one window no SMTP server can close: the sink has answered 250 and the server dies before it has recorded that (RFC 1047).
So a second copy is right only when the server that handed on the first was ended by kill -9; such copies are counted and printed.
There is none after SIGTERM, and none once the queue was empty. At the end the ledgers are falsified, and each lie must be found.
Prints "ok ..." or "not ok ..." per round; exit 1 when one failed.
"""
import argparse
import os
import random
import smtplib
import socketserver
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

import mail  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

PASSWORD = "crash-password-1"
USER = "anna@example.test"
SENDERS = 4
PATIENCE = 60            # seconds until the queue is empty; only reached when mail is stuck
SLOWEST_ANSWER = 0.03    # seconds before the sink's 250, so that kills fall before, between and after
NO_RESOLVER = {"POSTHUS_DNS_SERVERS": "127.0.0.1@1"}  # nothing is asked beyond loopback
SETTINGS = {"limits.messages_per_day": 10**9, "limits.new_recipients_per_day": 10**9, "limits.burst": 10**9,
            "queue.first_retry_seconds": 1, "queue.max_retry_seconds": 1, "queue.allow_loopback": 1}


class Ledgers:
    """Recipients by address, each of which is used once. An era ends with each death of the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.era, self.kinds = 0, []  # kinds[n]: how era n ended, "kill" or "stop"
        self.ends = []                # times of these ends
        self.oldest = 0.0             # seconds from the sink's 250 to the kill, of the copy for which they were most
        self.asked = []               # recipients of messages without an answer, one list for each
        self.taken = set()            # acknowledged to the user
        self.arrived = {}             # recipient: eras of the servers that handed it to the sink, which answered 250
        self.answered = {}            # recipient: when it did so first
        self.settled = {}             # recipient: how many copies there were when the queue was empty
        self.messages = 0

    def begin(self, recipients):
        with self.lock:
            self.asked.append(recipients)

    def acknowledged(self, recipients):
        with self.lock:
            self.asked.remove(recipients)
            self.taken.update(recipients)
            self.messages += 1

    def delivered(self, recipients, era):
        with self.lock:
            for recipient in recipients:
                self.arrived.setdefault(recipient, []).append(era)
                self.answered.setdefault(recipient, time.monotonic())

    def ended(self, kind):
        with self.lock:
            self.kinds.append(kind)
            self.ends.append(time.monotonic())
            self.era += 1

    def copies(self):
        """(right, wrong): recipients that got a copy too many by a kill, and by anything else."""
        right, wrong = [], []
        for recipient, eras in self.arrived.items():
            for before, after in zip(eras, eras[1:]):
                is_by_kill = after > before and self.kinds[before] == "kill"
                (right if is_by_kill else wrong).append(recipient)
        return right, wrong

    def problems(self):
        out = ["%s: acknowledged, and never handed on" % r for r in self.taken if r not in self.arrived]
        known = self.taken.union(*self.asked)
        out += ["%s: handed on, and never sent" % r for r in self.arrived if r not in known]
        out += ["half a message was handed on: %s" % group for group in self.asked if len({r in self.arrived for r in group}) > 1]
        out += ["%s: again, in eras %s, without a kill between" % (r, self.arrived[r]) for r in self.copies()[1]]
        out += ["%s: again, after the queue was empty" % r for r, count in self.settled.items() if len(self.arrived[r]) != count]
        return out

    def settle(self):
        """After a comparison: what was in doubt is known now."""
        for recipient in self.copies()[0]:
            self.oldest = max(self.oldest, self.ends[self.arrived[recipient][0]] - self.answered[recipient])
        self.taken.update(*(group for group in self.asked if all(r in self.arrived for r in group)))
        self.asked = []
        self.settled = {r: len(eras) for r, eras in self.arrived.items()}


def lies(ledgers):
    """Falsified copies of true ledgers, each of which must be found."""
    one = sorted(ledgers.taken)[0]
    era = ledgers.arrived[one][0]

    def false(taken=None, asked=(), more=None, settled=None):
        copy = Ledgers()
        copy.kinds, copy.taken, copy.asked = ["kill"] * era + ["stop", "kill", "kill"], taken or ledgers.taken, list(asked)
        copy.settled = settled or {}
        copy.arrived = {r: eras[:1] for r, eras in ledgers.arrived.items()} | (more or {})
        return copy

    return [("a lost recipient", false(taken=ledgers.taken | {"never-sent"})),
            ("a recipient nobody named", false(taken=ledgers.taken - {one})),
            ("half a message", false(taken=ledgers.taken - {one}, asked=[[one, "never-sent"]])),
            ("a copy in the same life", false(more={one: [era, era]})),
            ("a copy after an orderly stop", false(more={one: [era, era + 1]})),
            ("a copy after the queue was empty", false(more={one: [era + 1, era + 2]}, settled={one: 1}))]


class Sink(socketserver.ThreadingTCPServer):
    """The next server. What it has answered 250 to is in the ledger before the answer leaves."""
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                self.converse()
            except OSError:
                pass  # the server died

        def say(self, *lines):
            self.wfile.write("".join(line + "\r\n" for line in lines).encode())

        def converse(self):
            era, recipients = self.server.ledgers.era, []
            self.say("220 sink.test ESMTP")
            for raw in self.rfile:
                verb = raw[:4].upper()
                if verb == b"EHLO":
                    self.say("250-sink.test", "250-PIPELINING", "250 ENHANCEDSTATUSCODES")
                elif verb == b"RCPT":
                    recipients.append(raw[raw.index(b"<") + 1:raw.index(b">")].decode())
                    self.say("250 2.1.5 ok")
                elif verb == b"DATA":
                    self.say("354 go on")
                    if not self.reads_text():
                        return
                    time.sleep(random.uniform(0, SLOWEST_ANSWER))  # widens the window that is looked for
                    self.server.ledgers.delivered(recipients, era)
                    self.say("250 2.0.0 taken")
                    recipients = []
                elif verb == b"QUIT":
                    return self.say("221 bye")
                else:
                    recipients = []
                    self.say("250 ok")

        def reads_text(self):
            return any(line == b".\r\n" for line in self.rfile)

    def __init__(self, ledgers):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.ledgers = ledgers


def submit(scene, ledgers, rng):
    """Until the server dies."""
    client = mail.submission(scene, USER)
    while True:
        recipients = ["r%s@far%d.test" % (mail.unique(), rng.randrange(4)) for _ in range(rng.choice([1, 1, 1, 2, 8]))]
        text = mail.message(mail.unique(), sender=USER, body=("x" * 60 + "\r\n") * rng.choice([1, 40, 2000]))
        ledgers.begin(recipients)
        client.sendmail(USER, recipients, text)
        ledgers.acknowledged(recipients)


class Scene:
    password = PASSWORD

    def __init__(self, server):
        self.ports, self.is_dying, self.troubles = server.ports, False, []


def until_dead(scene, ledgers, rng):
    try:
        submit(scene, ledgers, rng)
    except (OSError, smtplib.SMTPException):
        if not scene.is_dying:
            scene.troubles.append("before the end: " + traceback.format_exc(limit=2))


def wait_for_empty_queue(server):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not server.cli_json("queue", "list")["items"]:
            return []
        time.sleep(0.05)  # polling, bounded by PATIENCE
    return ["mail is stuck: " + server.cli("queue", "list").stdout.decode()[:2000]]


def one_round(server, ledgers, rng):
    scene = Scene(server)
    threads = [threading.Thread(target=until_dead, args=(scene, ledgers, random.Random(rng.random()))) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    begun, end = ledgers.messages, time.monotonic() + PATIENCE
    while ledgers.messages == begun and not scene.troubles and time.monotonic() < end:
        time.sleep(0.005)  # until the load has begun; polling, bounded by PATIENCE
    time.sleep(rng.uniform(0.0, 1.5))  # the random moment itself, not a synchronisation
    scene.is_dying = True
    is_kill = rng.random() < 0.9
    status = server.kill() if is_kill else server.stop()
    ledgers.ended("kill" if is_kill else "stop")
    for thread in threads:
        thread.join()
    if rng.random() < 0.3:  # killed again while it takes up its work
        server.launch()
        time.sleep(rng.uniform(0.0, 0.4))
        server.kill()
        ledgers.ended("kill")
    server.start()
    problems = scene.troubles + wait_for_empty_queue(server)
    if not is_kill and status != 0:
        problems.append("SIGTERM: exit %s" % status)
    report = server.cli("check", check=False)
    if report.returncode != 0:
        problems.append("check: " + report.stdout.decode() + report.stderr.decode())
    problems += ledgers.problems()
    ledgers.settle()
    return problems


def say(problems, what):
    if problems:
        print("\n".join(problems[:20]))
    print("%sok %s" % ("not " if problems else "", what), flush=True)
    return 1 if problems else 0


def run(binary, rounds, rng):
    ledgers, failures = Ledgers(), 0
    with Sink(ledgers) as sink, PosthusServer(binary, environment=NO_RESOLVER) as server:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        server.add_domain("example.test")
        server.add_user(USER, PASSWORD)
        server.cli("route", "set", "*", "smtp://127.0.0.1:%d" % sink.server_address[1])
        for name, value in SETTINGS.items():
            server.cli("setting", "set", name, str(value))
        for i in range(rounds):
            before = len(ledgers.copies()[0])
            try:
                problems = one_round(server, ledgers, rng)
            except Exception:
                problems = [traceback.format_exc(), server.log()[-3000:]]
            copies = len(ledgers.copies()[0]) - before
            failures += say(problems, "relay kill %d: %d messages, %d recipients so far, %d copies by this kill" %
                            (i + 1, ledgers.messages, len(ledgers.arrived), copies))
            if server.process.poll() is not None:
                break  # it cannot be started again
        missed = [name for name, false in lies(ledgers) if not false.problems()] if ledgers.arrived else ["nothing was handed on"]
        failures += say(["not found: " + name for name in missed], "lies of both ledgers are found")
        kills = ledgers.kinds.count("kill")
        if not failures:
            say([], "relay: %d kills, %d stops, %d recipients, none lost, %d copies, their 250 at most %.0f ms before the kill" %
                (kills, len(ledgers.kinds) - kills, len(ledgers.arrived), len(ledgers.copies()[0]), ledgers.oldest * 1000))
        sink.shutdown()
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 30)))
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    print("seed %d" % options.seed, flush=True)
    sys.exit(1 if run(options.binary, options.rounds, random.Random(options.seed)) else 0)


if __name__ == "__main__":
    main()
