#!/usr/bin/python3
"""kill -9 at random moments under load, with a ledger kept outside the server (ledger.py).

usage: run.py POSTHUS [--rounds N] [--seed N]
Load per round: SMTP senders, submission to other servers (outgoing.py), IMAP APPEND, STORE, MOVE and EXPUNGE, POP3 DELE; in every third
round many SMTP senders and nobody who reads, so that deliveries are answered before the index's commit (store/README.md). After every restart `posthus check` must
find nothing; every acknowledged message exists exactly once, where it was put, with its UID and the flags acknowledged
last; what was expunged or deleted with an acknowledgement is gone; what was not acknowledged is there whole or not at all; of the figures over time nothing that was seen is lost (history.py).
Some servers are killed again while they open the store. At the end the ledger is falsified in every way it can be, and
each lie must be found: a harness that cannot fail proves nothing.
Prints "ok ..." or "not ok ..." per round; exit 1 when one failed.
"""
import argparse
import copy
import os
import random
import re
import socket
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

import history  # noqa: E402
import mail  # noqa: E402
import outgoing  # noqa: E402
from clients import MAILBOXES, Scene, address, expect_ok, survey  # noqa: E402
from ledger import Ledger, lies  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

SENDERS, APPENDERS = 3, 2
USERS = range(SENDERS + APPENDERS)
CROWD = 10  # senders when nobody reads
KINDS = ["RCPT", "QUEUE", "APPEND", "STORE", "MOVE", "EXPUNGE", "DELE", "ANSWERED_FIRST"]
STOP_LIMIT = 10      # seconds
MOST_MESSAGES = 400  # beyond it the mailboxes are emptied, which keeps a round short; so is the queue
NO_RESOLVER = {"POSTHUS_DNS_SERVERS": "127.0.0.1@1"}  # nobody answers there: what is queued stays queued


def body(rng):
    """From one line to 1.2 MiB, so that spooled messages and segments of their own are hit as well."""
    lines = rng.choice([1, 1, 1, 20, 20, 60, 60, 60, 1000, 6000, 18000])
    return "".join("%064x\r\n" % rng.getrandbits(256) for _ in range(min(lines, 60))) * max(1, lines // 60)


def smtp_load(scene, ledger, user, rng):
    client = mail.mx(scene)
    while True:
        marker = "s%d-%s" % (user, mail.unique())
        text = mail.message(marker, body=body(rng))
        entry = ledger.add(marker, user, text)
        client.sendmail("a@elsewhere.test", [address(user)], text)
        ledger.arrived(entry)
        ledger.acknowledged("RCPT")


def imap_load(scene, ledger, user, rng):
    client = mail.imap(scene, address(user))
    while True:
        marker = "i%d-%s" % (user, mail.unique())
        text = mail.message(marker, body=body(rng))
        entry = ledger.add(marker, user, text)
        data = expect_ok(*client.append("INBOX", None, None, text))
        uid = int(re.search(rb"APPENDUID \d+ (\d+)\]", data[0])[1])
        entry.state = "there"
        ledger.uid_given(entry, "INBOX", uid)
        ledger.acknowledged("APPEND")
        for flag in rng.choice([[], ["\\Flagged"], ["\\Flagged", "\\Seen", "\\Flagged"]]):
            change_flag(client, ledger, entry, flag)
        work = rng.random()
        if work < 0.3:
            move(client, ledger, entry)
        elif work < 0.6:
            expunge(client, ledger, entry)


def change_flag(client, ledger, entry, flag):
    is_set = not entry.flags.get(flag, False)
    entry.flags[flag] = None
    expect_ok(*client.uid("STORE", str(entry.uid), "+FLAGS.SILENT" if is_set else "-FLAGS.SILENT", "(%s)" % flag))
    entry.flags[flag] = is_set
    ledger.acknowledged("STORE")


def move(client, ledger, entry):
    """RFC 6851: in one of the two mailboxes, never in both, never in none."""
    uid, entry.uid, entry.mailbox = entry.uid, None, None
    expect_ok(*client.uid("MOVE", str(uid), "Archive"))
    entry.mailbox = "Archive"
    ledger.acknowledged("MOVE")


def expunge(client, ledger, entry):
    entry.flags["\\Deleted"] = None
    expect_ok(*client.uid("STORE", str(entry.uid), "+FLAGS.SILENT", r"(\Deleted)"))
    entry.flags["\\Deleted"] = True
    entry.state = "maybe_gone"
    # Not EXPUNGE: that would take what a killed round before left as \Deleted.
    expect_ok(*client.uid("EXPUNGE", str(entry.uid)))
    entry.state = "gone"
    ledger.acknowledged("EXPUNGE")


def pop_load(scene, ledger, user):
    """Deletes the first two messages of the maildrop, all or none."""
    while True:
        client = mail.pop(scene, address(user))
        markers = []
        for i in (1, 2)[:client.stat()[0]]:
            head = client.top(i, 0)[1]
            markers.append(next(line for line in head if line.startswith(b"Subject: "))[9:].decode())
            client.dele(i)
        entries = ledger.leaving(markers)
        client.quit()
        for entry in entries:
            entry.state = "gone"
            ledger.acknowledged("DELE")


def until_killed(load, scene, ledger, *arguments):
    try:
        load(scene, ledger, *arguments)
    except Exception:
        if not scene.is_killed:
            ledger.trouble("%s, before the kill: %s" % (load.__name__, traceback.format_exc(limit=2)))


def end(server, rng):
    """Mostly kill -9. SIGTERM has to end it in time, in order, and must lose nothing either."""
    if rng.random() < 0.8:
        server.kill()
        return []
    began = time.monotonic()
    status = server.stop()
    took = time.monotonic() - began
    return ["SIGTERM: exit %s after %.1f s" % (status, took)] if status != 0 or took > STOP_LIMIT else []


def crowd_load(scene, ledger, user):
    """Short messages one after the other, as fast as one client can."""
    client = mail.mx(scene)
    while True:
        marker = "c%d-%s" % (user, mail.unique())
        text = mail.message(marker, body="short\r\n")
        entry = ledger.add(marker, user, text)
        client.sendmail("a@elsewhere.test", [address(user)], text)
        ledger.arrived(entry)
        ledger.acknowledged("RCPT")


def answered_first(server):
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(os.path.join(server.data, "admin.sock"))
        admin.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: admin.recv(65536), b""))
    found = re.search(rb"^posthus_store_answered_first_total (\d+)", answer, re.MULTILINE)
    return int(found[1]) if found else 0


def usual_loads(rng):
    loads = [(smtp_load, user, random.Random(rng.random())) for user in range(SENDERS)]
    loads += [(imap_load, SENDERS + i, random.Random(rng.random())) for i in range(APPENDERS)]
    return loads + [(pop_load, 0), (outgoing.queue_load, 0, random.Random(rng.random()))]


def one_round(server, ledger, rng, is_crowd):
    scene = Scene(server)
    scene.is_killed = False
    scene.queued = server.queued
    loads = [(crowd_load, i % len(USERS)) for i in range(CROWD)] if is_crowd else usual_loads(rng)
    threads = [threading.Thread(target=until_killed, args=(load, scene, ledger, *arguments)) for load, *arguments in loads]
    for thread in threads:
        thread.start()
    server.history.settle(history.look(server))
    time.sleep(rng.uniform(0.05, 0.4 if is_crowd else 1.2))  # the random moment itself, not a synchronisation
    if is_crowd and answered_first(server) > 0:
        ledger.acknowledged("ANSWERED_FIRST")
        time.sleep(rng.uniform(0.0, 0.1))  # asking was a look: it begins again
    scene.is_killed = True
    problems = end(server, rng)
    for thread in threads:
        thread.join()
    if rng.random() < 0.2:  # killed again while it opens the store
        server.launch()
        time.sleep(rng.uniform(0.0, 0.1))
        server.kill()
    is_offline = rng.random() < 0.5
    report = server.cli("check", "--bytes", check=False) if is_offline else None
    server.start()
    report = report or server.cli("check", "--bytes", check=False)
    problems += ledger.troubles
    ledger.troubles = []
    if report.returncode != 0:
        problems.append("check: " + report.stdout.decode() + report.stderr.decode())
    found, more = survey(scene, ledger, USERS)
    problems += more + ledger.problems(found)
    ledger.settle(found)
    waiting = outgoing.look_at_queue(server)
    problems += server.queued.problems(waiting)
    server.queued.settle(waiting)
    problems += server.history.problems(history.look(server))
    return problems


def empty(server, ledger):
    for user in USERS:
        for mailbox in MAILBOXES:
            mail.empty(Scene(server), address(user), mailbox)
    ledger.entries.clear()
    server.cli("queue", "remove", "--all")
    server.queued.settle({})


def finds_lies(server, ledger):
    """Each falsified ledger against the same server; the true one must hold first."""
    if not ledger.entries:
        return ["nothing is there to lie about"]
    for entry in ledger.entries.values():
        entry.is_read = False
    found, problems = survey(Scene(server), ledger, USERS)
    problems += ledger.problems(found)
    for i in range(len(lies(ledger))):
        false = Ledger()
        false.entries = copy.deepcopy(ledger.entries)
        name, falsify = lies(false)[i]
        falsify()
        if not false.problems(found):
            problems.append("not found: " + name)
    problems += server.history.finds_lies(history.look(server))
    return problems + outgoing.finds_lies(server.queued, outgoing.look_at_queue(server))


def say(problems, what):
    if problems:
        print("\n".join(problems[:20]))
    print("%sok %s" % ("not " if problems else "", what), flush=True)
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    rng, ledger, failures = random.Random(options.seed), Ledger(), 0
    print("seed %d" % options.seed, flush=True)
    with PosthusServer(options.binary, environment=NO_RESOLVER) as server:
        server.queued, server.history = outgoing.QueueLedger(), history.HistoryLedger()
        server.add_domain("example.test")
        for user in USERS:
            server.add_user(address(user), Scene.password)
        for limit in ("messages_per_day", "new_recipients_per_day", "burst"):  # the load is no habit of people
            server.cli("setting", "set", "limits." + limit, "1000000000")
        server.stop()  # writes the minute under way: there is something to lose from the first kill on
        server.start()
        for i in range(options.rounds):
            if max(len(ledger.entries), len(server.queued.there)) > MOST_MESSAGES:
                empty(server, ledger)
            try:
                problems = one_round(server, ledger, rng, is_crowd=i % 3 == 1 and i + 1 < options.rounds)
            except Exception:
                problems = [traceback.format_exc(), server.log()[-3000:]]
            failures += say(problems, "kill %d: %d messages" % (i + 1, len(ledger.entries)))
            if server.process.poll() is not None:
                break  # it cannot be started again
        failures += say(finds_lies(server, ledger), "lies of the ledger are found")
        idle = [kind for kind in KINDS if not ledger.done.get(kind)]
        failures += say(["never acknowledged: %s" % kind for kind in idle], "load: %s" % ledger.done)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
