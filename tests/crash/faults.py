#!/usr/bin/python3
"""Disk faults injected under load: EIO, ENOSPC and short writes on segments, index and spool; and a full disk.

usage: faults.py POSTHUS [NAME-PART]     prints "ok NAME" or "not ok NAME"; exit 1 when one failed.
The server may answer 4xx or NO and stay up, or stop cleanly; after a start without faults `check --bytes` finds nothing
and every acknowledged message exists exactly once, nothing unacknowledged half. Needs strace; the full disk needs a
mount namespace (root, or user namespaces allowed).
"""
import glob
import os
import shutil
import smtplib
import sys
import tempfile
import threading
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

import mail  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

PASSWORD = "fault-password-1"
USERS = ["u0@example.test", "u1@example.test"]
MESSAGES = 30

# name, file (below data/), system calls, fault. strace replaces the call's result from the Nth call on.
FAULTS = [
    ("segment_write_eio", "segments/*", "pwrite64,pwritev,write", "error=EIO:when=4+"),
    ("segment_write_no_space", "segments/*", "pwrite64,pwritev,write", "error=ENOSPC:when=4..8"),
    ("segment_sync_eio", "segments/*", "fdatasync,fsync", "error=EIO:when=5"),
    ("index_write_eio", "index/data.mdb", "pwrite64,pwritev,write", "error=EIO:when=9"),
    ("index_write_no_space", "index/data.mdb", "pwrite64,pwritev,write", "error=ENOSPC:when=9..14"),
    ("index_sync_eio", "index/data.mdb", "fdatasync,fsync,msync", "error=EIO:when=6"),
    ("spool_write_no_space", None, "openat", "error=ENOSPC:when=1+"),
]


class Scene:
    password = PASSWORD

    def __init__(self, server):
        self.ports, self.server = server.ports, server


class Ledger:
    def __init__(self):
        self.lock, self.acknowledged, self.tried = threading.Lock(), set(), {}


def send(scene, ledger, user, sizes):
    """Sends until the server is gone; a 4xx is noted as not acknowledged."""
    replies = []
    try:
        client = mail.mx(scene)
        for i in range(MESSAGES):
            marker = mail.unique()
            text = mail.message(marker, body=("%s\r\n" % mail.unique()) * sizes[i % len(sizes)])
            with ledger.lock:
                ledger.tried[marker] = (user, text)
            try:
                client.sendmail("a@elsewhere.test", [user], text)
                with ledger.lock:
                    ledger.acknowledged.add(marker)
            except smtplib.SMTPResponseException as refusal:
                replies.append(refusal.smtp_code)
            except smtplib.SMTPRecipientsRefused as refusal:
                replies += [code for code, _ in refusal.recipients.values()]
    except (OSError, smtplib.SMTPException):
        pass  # the server stopped
    return replies


def append(scene, ledger, user):
    try:
        client = mail.imap(scene, user)
        for i in range(MESSAGES):
            marker = mail.unique()
            text = mail.message(marker, body="%d\r\n" % i)
            with ledger.lock:
                ledger.tried[marker] = (user, text)
            if client.append("INBOX", None, None, text)[0] == "OK":
                with ledger.lock:
                    ledger.acknowledged.add(marker)
    except Exception:  # the server stopped, or the login found the store failing
        pass


def load(scene, ledger, sizes=(1, 30, 9000)):
    """Two senders and one appender; the SMTP codes that were not 250."""
    codes = []
    threads = [threading.Thread(target=lambda u=u: codes.extend(send(scene, ledger, u, sizes))) for u in USERS]
    threads.append(threading.Thread(target=append, args=(scene, ledger, USERS[0])))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def verify(server, ledger):
    report = server.cli("check", "--bytes", check=False)
    assert report.returncode == 0, report.stdout.decode() + report.stderr.decode()
    found = {}
    for user in USERS:
        client = mail.imap(Scene(server), user)
        exists = int(client.untagged_responses.get("EXISTS", [b"0"])[-1])
        _, data = client.fetch("1:*", "(BODY.PEEK[])") if exists else (None, [])
        for item in data:
            if isinstance(item, tuple):
                marker = item[1].split(b"Subject: ", 1)[1].split(b"\r\n", 1)[0].decode()
                found[marker] = found.get(marker, 0) + 1
                assert item[1].endswith(ledger.tried[marker][1]), "half a message: " + marker
        client.logout()
    assert all(count == 1 for count in found.values()), "doubled"
    missing = ledger.acknowledged - set(found)
    assert not missing, "%d of %d acknowledged messages are missing" % (len(missing), len(ledger.acknowledged))


def prepared(binary, directory, **options):
    server = PosthusServer(binary, directory, **options)
    server.start()
    server.add_domain("example.test")
    for user in USERS:
        server.add_user(user, PASSWORD)
    return server


def injected(binary, name, file, calls, fault):
    directory = tempfile.mkdtemp(prefix="posthus-fault-")
    server = prepared(binary, directory)
    ledger = Ledger()
    try:
        send(Scene(server), ledger, USERS[0], (1,))
        server.stop()
        if file:
            paths = [p for path in sorted(glob.glob(os.path.join(server.data, file))) for p in ("-P", path)]
        else:  # files of the spool folder do not exist yet: the folder's own opens are hit
            paths = [p for i in range(1, 60) for p in ("-P", os.path.join(server.data, "spool", str(i)))]
        server.wrapper = ["strace", "-D", "-f", "-qq", "-o", os.path.join(directory, "strace"), *paths, "-e", "trace=" + calls, "-e",
                          "inject=%s:%s" % (calls, fault)]
        server.start()
        codes = load(Scene(server), ledger)
        with open(os.path.join(directory, "strace")) as f:
            hits = sum("INJECTED" in line for line in f)
        assert hits or not file, "the fault was never hit"
        assert all(400 <= code < 500 for code in codes), codes
        print("  %s: hit %d times, %d acknowledged, %d refused with 4xx, server %s" % (
            name, hits, len(ledger.acknowledged), len(codes), "stayed up" if server.process.poll() is None else "stopped"))
        server.stop()
        server.wrapper = []
        server.start()
        verify(server, ledger)
        send(Scene(server), ledger, USERS[0], (1,))
        verify(server, ledger)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def full_disk(binary):
    """A data directory on a small tmpfs of its own: refused while full, on again when there is space."""
    directory = tempfile.mkdtemp(prefix="posthus-full-")
    data = os.path.join(directory, "data")
    os.mkdir(data)
    mount = "mount -t tmpfs -o size=96m,mode=700 posthus '%s' && head -c 40m /dev/zero > '%s/ballast' && exec \"$0\" \"$@\"" % (data, data)
    server = PosthusServer(binary, directory, wrapper=["unshare", *([] if os.getuid() == 0 else ["-r"]), "-m", "sh", "-c", mount])
    ledger = Ledger()
    try:
        server.start()
        # The command line runs inside the namespace too: the admin socket is there.
        inside = "/proc/%d/root" % server.process.pid
        server.data, outside = inside + data, server.data
        server.add_domain("example.test")
        for user in USERS:
            server.add_user(user, PASSWORD)
        codes = []
        for _ in range(20):
            codes += load(Scene(server), ledger, sizes=(1, 9000, 30000))
            if codes:
                break
        assert codes and all(400 <= code < 500 for code in codes), codes
        assert server.process.poll() is None, "the server stopped: " + server.log()[-2000:]
        accepted = len(ledger.acknowledged)
        os.remove(inside + data + "/ballast")
        send(Scene(server), ledger, USERS[1], (1,))
        assert len(ledger.acknowledged) > accepted, "nothing is taken after space came back"
        verify(server, ledger)
        print("  full_disk: %d acknowledged, %d refused with 4xx, then on again" % (len(ledger.acknowledged), len(codes)))
        server.data = outside
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    binary, part = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    tests = [(fault[0], lambda fault=fault: injected(binary, *fault)) for fault in FAULTS] + [("full_disk", lambda: full_disk(binary))]
    failures = 0
    for name, test in tests:
        if part not in name:
            continue
        try:
            test()
            print("ok fault " + name, flush=True)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print("not ok fault " + name, flush=True)
            failures += 1
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
