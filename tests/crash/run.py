#!/usr/bin/python3
"""kill -9 at random moments under load, with a ledger kept outside the server.

usage: run.py POSTHUS [--rounds N] [--seed N]
Load per round: SMTP senders, IMAP APPEND, STORE and EXPUNGE, POP3 DELE. After every restart `posthus check` must find
nothing; every acknowledged message exists exactly once with the flags acknowledged last; what was expunged or deleted
with an acknowledgement is gone; what was not acknowledged is there whole or not at all.
Prints "ok round N" or "not ok round N"; exit 1 when one failed.
"""
import argparse
import imaplib
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

import mail  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

SENDERS, APPENDERS = 3, 2


class Ledger:
    """What clients were told, by marker. States: sent (not acknowledged), there, maybe_gone, gone."""

    def __init__(self):
        self.lock = threading.Lock()
        self.state, self.flagged, self.text = {}, {}, {}

    def set(self, marker, state):
        with self.lock:
            self.state[marker] = state


class Scene:
    password = "crash-password-1"

    def __init__(self, server):
        self.ports, self.server = server.ports, server


def user(i):
    return "u%d@example.test" % i


def body(rng):
    """From one line to 600 KiB, so that spooled messages are hit as well."""
    return "".join("%064x\r\n" % rng.getrandbits(256) for _ in range(rng.choice([1, 1, 20, 60, 1000, 9000])))


def smtp_load(scene, ledger, number, seed, over):
    rng = random.Random(seed)
    try:
        client = mail.mx(scene)
        while not over.is_set():
            marker = "s%d-%s" % (number, mail.unique())
            text = mail.message(marker, body=body(rng))
            ledger.text[marker] = text
            ledger.set(marker, "sent")
            client.sendmail("a@elsewhere.test", [user(number)], text)
            ledger.set(marker, "there")
    except Exception:  # the server was killed: what is unacknowledged stays "sent"
        pass


def imap_load(scene, ledger, number, seed, over):
    rng = random.Random(seed)
    try:
        client = mail.imap(scene, user(number))
        while not over.is_set():
            marker = "i%d-%s" % (number, mail.unique())
            text = mail.message(marker, body=body(rng))
            ledger.text[marker] = text
            ledger.set(marker, "sent")
            status, data = client.append("INBOX", None, None, text)
            if status != "OK":
                continue
            ledger.set(marker, "there")
            uid = data[0].split(b"APPENDUID ")[1].split()[1].rstrip(b"]").decode()
            if rng.random() < 0.5:
                ledger.flagged[marker] = None  # unknown until acknowledged
                if client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Flagged)")[0] == "OK":
                    ledger.flagged[marker] = True
            if rng.random() < 0.3:
                client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
                ledger.set(marker, "maybe_gone")
                if client.expunge()[0] == "OK":
                    ledger.set(marker, "gone")
    except Exception:  # killed
        pass


def pop_load(scene, ledger, number, over):
    """Deletes the first two messages of the maildrop, all or none."""
    while not over.is_set():
        markers = []
        try:
            client = mail.pop(scene, user(number))
            for i in (1, 2)[:client.stat()[0]]:
                head = client.top(i, 0)[1]
                marker = next(l for l in head if l.startswith(b"Subject: "))[9:].decode()
                client.dele(i)
                markers.append(marker)
            if not markers:
                client.quit()
                continue
            with ledger.lock:
                ledger.state.update({m: "maybe_gone" for m in markers})
                ledger.state.setdefault("pairs", []).append(markers)
            client.quit()
            for m in markers:
                ledger.set(m, "gone")
        except Exception:  # killed
            return


def verify(scene, ledger, users):
    """Problems found after the restart; then the ledger is what is there."""
    problems, found, flags = [], {}, {}
    for number in users:
        client = mail.imap(scene, user(number))
        _, data = client.fetch("1:*", "(FLAGS BODY.PEEK[])") if client.untagged_responses.get("EXISTS", [b"0"])[-1] != b"0" else (None, [])
        for item in data:
            if not isinstance(item, tuple):
                continue
            text = item[1]
            marker = text.split(b"Subject: ", 1)[1].split(b"\r\n", 1)[0].decode()
            found[marker] = found.get(marker, 0) + 1
            flags[marker] = rb"\Flagged" in item[0]
            if not text.endswith(ledger.text[marker]):
                problems.append("%s is damaged" % marker)
        client.logout()
    pairs = ledger.state.pop("pairs", [])
    for marker, state in ledger.state.items():
        count = found.get(marker, 0)
        if count > 1 or (state == "there" and count != 1) or (state == "gone" and count != 0):
            problems.append("%s: acknowledged as %s, found %d times" % (marker, state, count))
        if ledger.flagged.get(marker) and count and not flags[marker]:
            problems.append("%s lost its flag" % marker)
    for pair in pairs:
        if len({found.get(m, 0) for m in pair}) > 1:
            problems.append("POP3 deletions were not all or none: %s" % pair)
    ledger.state = {m: "there" for m in found}
    return problems


def one_round(server, ledger, rng, users):
    scene, over = Scene(server), threading.Event()
    threads = [threading.Thread(target=smtp_load, args=(scene, ledger, n, rng.random(), over)) for n in range(SENDERS)]
    threads += [threading.Thread(target=imap_load, args=(scene, ledger, SENDERS + n, rng.random(), over)) for n in range(APPENDERS)]
    threads.append(threading.Thread(target=pop_load, args=(scene, ledger, 0, over)))
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.05, 1.2))  # the random moment itself, not a synchronisation
    server.kill()
    over.set()
    for thread in threads:
        thread.join()
    problems = []
    offline = server.cli("check", "--bytes", check=False)
    if offline.returncode != 0:
        problems.append("check: " + offline.stdout.decode() + offline.stderr.decode())
    server.start()
    return problems + verify(scene, ledger, users)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    imaplib._MAXLINE = 10_000_000
    rng = random.Random(options.seed)
    print("seed %d" % options.seed, flush=True)
    users, failures, ledger = range(SENDERS + APPENDERS), 0, Ledger()
    with PosthusServer(options.binary) as server:
        server.add_domain("example.test")
        for number in users:
            server.add_user(user(number), Scene.password)
        for i in range(options.rounds):
            problems = one_round(server, ledger, rng, users)
            if problems:
                failures += 1
                print("\n".join(problems[:20]))
            print("%sok round %d: %d messages" % ("not " if problems else "", i + 1, len(ledger.state)), flush=True)
            if len(ledger.state) > 3000:  # keeps a round short; the store is kept, the mailboxes are emptied
                for number in users:
                    mail.empty(Scene(server), user(number))
                ledger.state.clear()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
