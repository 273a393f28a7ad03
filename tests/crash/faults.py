#!/usr/bin/python3
"""Disk faults and kills at exact places, under load, and full file systems.

usage: faults.py POSTHUS [NAME-PART]     prints "ok NAME" or "not ok NAME"; exit 1 when one failed.
strace makes a system call on a given file fail, or kills the server there (a call made to fail is not carried out; short
writes are not faked, they happen where a file system is full). The server answers 4xx or NO and works on, or ends with a
status that is not 0 where a sync or commit failed; started again, `check --bytes` finds nothing and every acknowledged
message exists exactly once, nothing unacknowledged half. Every case proves that its fault was hit.
Needs strace and a mount namespace of its own (root, or user namespaces allowed).
"""
import glob
import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

import mail  # noqa: E402
from clients import Scene, address, survey  # noqa: E402
from ledger import Ledger  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

USERS = [0, 1]
MESSAGES = 9            # per client
LINES = (1, 30, 9000, 36000)  # in memory; the same; spooled and copied; spooled and a segment of its own
AT_ONCE = 4             # cases: they mostly wait for syncs
STOP_LIMIT = 8          # seconds for a server that ends by itself
saying = threading.Lock()
SEGMENTS, INDEX, JOURNAL = "segments/*.seg", "index/data.mdb", "index/journal-*"
WRITES, SYNCS = "pwrite64,pwritev,write,writev", "fdatasync,fsync,msync"

# name, file below data/, system calls, what strace does to the Nth of them in each thread, what becomes of the server:
# "up": refuses what it cannot do, works on. "ends": a status that is not 0. "either": whichever, but no third.
FAULTS = [
    ("segment_write_eio", SEGMENTS, WRITES, "error=EIO:when=3..7", "up"),
    ("segment_write_no_space", SEGMENTS, WRITES, "error=ENOSPC:when=3..7", "up"),
    ("segment_write_takes_nothing", SEGMENTS, WRITES, "retval=0:when=3..7", "up"),
    ("segment_sync_eio", SEGMENTS, SYNCS, "error=EIO:when=3", "ends"),
    ("index_write_eio", INDEX, WRITES, "error=EIO:when=5", "ends"),
    ("index_sync_eio", INDEX, SYNCS, "error=EIO:when=1", "ends"),  # of the checkpoint after the load
    ("journal_write_eio", JOURNAL, WRITES, "error=EIO:when=3..7", "up"),
    ("journal_write_no_space", JOURNAL, WRITES, "error=ENOSPC:when=3..7", "up"),
    ("journal_sync_eio", JOURNAL, SYNCS, "error=EIO:when=3", "ends"),
    ("kill_in_segment_write", SEGMENTS, WRITES, "signal=KILL:when=4", "killed"),
    ("kill_in_segment_sync", SEGMENTS, SYNCS, "signal=KILL:when=4", "killed"),
    ("kill_in_index_write", INDEX, WRITES, "signal=KILL:when=4", "killed"),
    ("kill_in_index_sync", INDEX, SYNCS, "signal=KILL:when=1", "killed"),
    ("kill_in_journal_write", JOURNAL, WRITES, "signal=KILL:when=4", "killed"),
    ("kill_in_journal_sync", JOURNAL, SYNCS, "signal=KILL:when=4", "killed"),
    ("kill_in_rename", None, "rename,renameat,renameat2", "signal=KILL:when=3", "killed"),  # the third of the Writer; opening makes two
]


class Bench:
    """A data directory with two users, made once; every case works on a copy."""

    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory
        with PosthusServer(binary, self.made("made")) as server:
            server.add_domain("example.test")
            for user in USERS:
                server.add_user(address(user), Scene.password)
            send(Scene(server), Ledger(), USERS[0], 1, (1,))
            self.made_data = server.data
        for marker in glob.glob(self.made_data + "/admin.sock"):
            os.remove(marker)

    def made(self, name):
        path = os.path.join(self.directory, name)
        os.mkdir(path)
        return path

    def server(self, name):
        server = PosthusServer(self.binary, self.made(name))
        shutil.copytree(self.made_data, server.data)
        return server


def send(scene, ledger, user, count=MESSAGES, lines=LINES):
    """Sends until the server is gone; returns the codes that were not 250."""
    codes = []
    try:
        client = mail.mx(scene)
        for i in range(count):
            marker = mail.unique()
            text = mail.message(marker, body=("%s\r\n" % mail.unique()) * lines[i % len(lines)])
            entry = ledger.add(marker, user, text)
            try:
                client.sendmail("a@elsewhere.test", [address(user)], text)
                entry.state = "there"
            except smtplib.SMTPResponseException as refusal:
                codes.append(refusal.smtp_code)
            except smtplib.SMTPRecipientsRefused as refusal:
                codes += [code for code, _ in refusal.recipients.values()]
        client.quit()
    except (OSError, smtplib.SMTPException):
        pass  # the server stopped
    return codes


def append(scene, ledger, user, count=MESSAGES):
    """APPEND until the server is gone or says NO to the login; returns the replies that were not OK."""
    replies = []
    try:
        client = mail.imap(scene, address(user))
        for i in range(count):
            marker = mail.unique()
            text = mail.message(marker, body="%d\r\n" % i)
            entry = ledger.add(marker, user, text)
            status, _ = client.append("INBOX", None, None, text)
            if status == "OK":
                entry.state = "there"
            else:
                replies.append(status)
        client.logout()
    except (OSError, mail.imaplib.IMAP4.error, AssertionError):
        pass
    return replies


def load(scene, ledger, lines=LINES):
    """Two senders and one appender at once. Whatever is refused must be refused for now, not for good."""
    codes, replies = [], []
    threads = [threading.Thread(target=lambda u=u: codes.extend(send(scene, ledger, u, lines=lines))) for u in USERS]
    threads.append(threading.Thread(target=lambda: replies.extend(append(scene, ledger, USERS[0]))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(400 <= code < 500 for code in codes), codes
    assert set(replies) <= {"NO"}, replies
    return len(codes) + len(replies)


def holds(server, ledger):
    """The ledger against a server that works; messages of the bench itself are let be."""
    report = server.cli("check", "--bytes", check=False)
    assert report.returncode == 0, report.stdout.decode() + report.stderr.decode()
    found, problems = survey(Scene(server), ledger, USERS, ["INBOX"])
    problems += [p for p in ledger.problems({m: c for m, c in found.items() if m in ledger.entries})]
    assert not problems, "\n".join(problems)


def works(server, ledger, lines=(1, 9000, 36000)):
    assert send(Scene(server), ledger, USERS[1], len(lines), lines) == [], "it still refuses"
    holds(server, ledger)


def stopped(server):
    """Ends it in order; a server that needs to be killed or complains is a failure."""
    status = server.stop()
    assert status == 0, "stopping ended with %s:\n%s" % (status, server.log()[-2000:])


def let_go(server):
    """Takes strace off a server that is to live on."""
    with open("/proc/%d/status" % server.process.pid) as f:
        tracer = int(re.search(r"TracerPid:\s+(\d+)", f.read())[1])
    os.kill(tracer, signal.SIGTERM)
    end = time.monotonic() + STOP_LIMIT
    while os.path.exists("/proc/%d" % tracer) and time.monotonic() < end:
        time.sleep(0.01)


def traced(server, paths, calls, fault=None):
    """The wrapper that runs the server under strace, and the function that reads what strace saw."""
    seen = os.path.join(server.directory, "strace")
    inject = ["-e", "inject=%s:%s" % (calls, fault)] if fault else []
    server.wrapper = ["strace", "-D", "-I", "2", "-f", "-y", "-v", "-s", "0", "-qq", "-o", seen, *(p for path in paths for p in ("-P", path)),
                      "-e", "trace=" + calls, *inject]

    def lines():
        with open(seen) as f:
            return f.readlines()
    return lines


def fault(bench, name, file, calls, what, becomes):
    server, ledger = bench.server(name), Ledger()
    try:
        paths = sorted(glob.glob(os.path.join(server.data, file))) if file else []
        assert paths or not file
        seen = traced(server, paths, calls, what)
        server.start()
        refused = load(Scene(server), ledger)
        state = after(server, ledger, becomes)
        hits = sum("INJECTED" in line for line in seen())
        assert hits or state == "killed", "the fault was never hit"
        server.wrapper = []
        server.start()
        works(server, ledger)
        stopped(server)
        kept = sum(entry.state == "there" for entry in ledger.entries.values())
        say("  %s: hit %d times, %d acknowledged, %d refused, the server %s" % (name, hits, kept, refused, state))
    finally:
        server.stop()


def after(server, ledger, becomes):
    """What became of the server; an assertion when that is not what must."""
    if becomes in ("ends", "killed"):
        try:
            status = server.process.wait(timeout=STOP_LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError("the server stayed up:\n" + server.log()[-2000:]) from None
        assert status == -signal.SIGKILL if becomes == "killed" else status > 0, "it ended with %d" % status
        return becomes if becomes == "killed" else "ended with %d" % status
    assert server.process.poll() is None, "the server ended:\n" + server.log()[-2000:]
    let_go(server)
    works(server, ledger)
    stopped(server)
    return "stayed up"


def index_write_no_space(bench):
    """No room for the pages of a commit: refused, and it goes on. Which write of a commit the Nth is depends on how the pages lie,
    so N is one that does not hit the meta page (that is the next case)."""
    for nth in range(3, 9):
        server, ledger = bench.server("index_write_%d" % nth), Ledger()
        try:
            seen = traced(server, [os.path.join(server.data, INDEX)], WRITES, "error=ENOSPC:when=%d+" % nth)
            server.start()
            refused = load(Scene(server), ledger)
            first = next(line for line in seen() if "INJECTED" in line)
            size = re.search(r", (\d+), \d+\) = ", first)  # writev has none
            if size and int(size[1]) < 1024:
                continue
            assert server.process.poll() is None, "the server ended:\n" + server.log()[-2000:]
            assert refused, "nothing was refused"
            stopped(server)
            server.wrapper = []
            server.start()
            works(server, ledger)
            stopped(server)
            say("  index_write_no_space: from write %d on, %d refused, the server stayed up" % (nth, refused))
            return
        finally:
            server.stop()
    raise AssertionError("every write was of the meta page")


def meta_page_no_space(bench):
    """The last write of a commit, the meta page: LMDB takes nothing after it fails, so the server must end."""
    for nth in range(1, 8):
        server, ledger = bench.server("meta_page_%d" % nth), Ledger()
        try:
            seen = traced(server, [os.path.join(server.data, INDEX)], "pwrite64", "error=ENOSPC:when=%d" % nth)
            server.start()
            send(Scene(server), ledger, USERS[0], 3, (1,))
            sizes = [int(re.search(r", (\d+), \d+\) = ", line)[1]) for line in seen() if "INJECTED" in line]
            if not any(size < 1024 for size in sizes):
                continue
            state = after(server, ledger, "ends")
            server.wrapper = []
            server.start()
            works(server, ledger)
            stopped(server)
            say("  meta_page_no_space: write %d, the server %s" % (nth, state))
            return
        finally:
            server.stop()
    raise AssertionError("the meta page was never hit")


def spool_sync_eio(bench):
    """No thread but the Writer syncs anything else, and it has nothing to do before the spool file is synced."""
    server, ledger = bench.server("spool_sync_eio"), Ledger()
    try:
        seen = traced(server, [], "fdatasync", "error=EIO:when=1")
        server.start()
        codes = send(Scene(server), ledger, USERS[0], 1, (36000,))
        hit = [line for line in seen() if "INJECTED" in line]
        assert len(hit) == 1 and "/spool/" in hit[0], hit
        assert len(codes) == 1 and 400 <= codes[0] < 500, codes
        after(server, ledger, "up")
        assert not os.listdir(os.path.join(server.data, "spool")), "a refused message left its spool file"
        say("  spool_sync_eio: refused with %d" % codes[0])
    finally:
        server.stop()


def spool_gone(bench):
    server, ledger = bench.server("spool_gone"), Ledger()
    spool = os.path.join(server.data, "spool")
    try:
        server.start()
        os.rmdir(spool)
        refused = load(Scene(server), ledger)
        assert refused > 0, "nothing was refused"
        os.mkdir(spool, 0o700)
        works(server, ledger)
        stopped(server)
        say("  spool_gone: %d refused" % refused)
    finally:
        server.stop()


def full(bench, name, folders, size, lines):
    """These folders below data/ on a small file system: refused while full, with short writes on the way; then on again."""
    server, ledger = bench.server(name), Ledger()
    small = os.path.join(server.directory, "small")
    places = [os.path.normpath(os.path.join(server.data, folder)) for folder in folders]
    if size is None:
        cut_room_ahead(os.path.join(places[0], "data.mdb"))
        size = sum(os.path.getsize(path) for path in glob.glob(places[0] + "/*")) // 1024 + 80
    os.mkdir(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk,mode=700" % size, "posthus", small], check=True)
    try:
        for place in places:
            there = os.path.join(small, os.path.basename(place))
            shutil.copytree(place, there)
            shutil.rmtree(place)
            os.symlink(there, place)
        seen = traced(server, [], WRITES)
        server.start()
        refused = 0
        for _ in range(20):
            refused += load(Scene(server), ledger, lines)
            if refused:
                break
        assert refused, "it never got full"
        short = sum(is_short(line, small) for line in seen())
        while not short and refused < 200:  # the room ended where a write began: one page more, and the next write is cut
            size += 4
            subprocess.run(["mount", "-o", "remount,size=%dk" % size, small], check=True)
            refused += load(Scene(server), ledger, lines)
            short = sum(is_short(line, small) for line in seen())
        assert server.process.poll() is None, "the server ended: " + server.log()[-2000:]
        subprocess.run(["mount", "-o", "remount,size=256m", small], check=True)
        let_go(server)
        works(server, ledger, lines)
        stopped(server)
        server.wrapper = []
        server.start()
        holds(server, ledger)
        stopped(server)
        say("  %s: %d refused, %d writes were short, then on again" % (name, refused, short))
        assert short, "no write was short"
    finally:
        server.stop()
        subprocess.run(["umount", "-l", small], check=True)


def cut_room_ahead(path):
    """Takes away the zeros that the index keeps ready behind its last page."""
    with open(path, "r+b") as f:
        f.truncate((len(f.read().rstrip(b"\0")) + 8191) // 4096 * 4096)


def is_short(line, path):
    """strace's line of a write below `path` that took some bytes and not all."""
    done = re.search(r"\(\d+<%s.* = (\d+)$" % re.escape(path), line.rstrip())
    if not done or done[1] == "0":
        return False
    one = re.search(r"\"\.\.\., (\d+)[,)]", line)
    wanted = sum(map(int, re.findall(r"iov_len=(\d+)", line))) or (int(one[1]) if one else 0)
    return int(done[1]) < wanted


def removal_goes_on(bench):
    """Killed between two slices of a user's removal: the next start finishes it (his address is free again)."""
    server, ledger = bench.server("removal_goes_on"), Ledger()
    try:
        seen = traced(server, glob.glob(os.path.join(server.data, JOURNAL)), "fdatasync", "signal=KILL:when=2")
        server.start()
        server.cli("user", "remove", address(USERS[0]), check=False)
        assert server.process.wait(timeout=STOP_LIMIT) == -signal.SIGKILL, seen()
        server.wrapper = []
        assert address(USERS[0]) not in server.cli("user", "list").stdout.decode(), "the removal had not begun"
        server.start()
        end = time.monotonic() + STOP_LIMIT
        while True:
            added = server.cli("user", "add", address(USERS[0]), "--password-stdin", stdin=Scene.password + "\n", check=False)
            if added.returncode == 0:
                break
            assert time.monotonic() < end, "the removal was not finished: %s" % added
            time.sleep(0.05)
        works(server, ledger)
        stopped(server)
    finally:
        server.stop()


def replies_follow_syncs(bench):
    """Not a fault, but the same tracer: before each 250 every byte written for the message has been synced. One client, so
    that nothing else is on its way when the reply leaves."""
    server, ledger = bench.server("replies_follow_syncs"), Ledger()
    seen = os.path.join(server.directory, "strace")
    server.wrapper = ["strace", "-D", "-I", "2", "-f", "-y", "-s", "10", "-qq", "-o", seen, "-e",
                      "trace=openat,pwrite64,pwritev,pwritev2,write,writev,sendto,fdatasync,fsync"]
    try:
        server.start()
        send(Scene(server), ledger, USERS[0], len(LINES))
        stopped(server)
        with open(seen) as f:
            order = SyncOrder(server.data)
            for line in f:
                order.see(line)
        assert order.replies == len(LINES), order.replies
        assert not order.early, "replies with unsynced writes: %r" % order.early
        say("  replies_follow_syncs: %d replies behind %d syncs" % (order.replies, order.syncs))
    finally:
        server.wrapper = []
        server.stop()


class SyncOrder:
    """What strace saw, in order: which files below data/ have writes that no sync has followed when a 250 leaves. The index
    never has to be synced by then, and of a segment as many bytes may be missing as the synced journal has taken since."""

    def __init__(self, data):
        self.folders = [os.path.join(os.path.realpath(data), folder) for folder in ("segments", "index", "spool")]
        self.synchronous = set()  # descriptors opened with O_DSYNC
        self.unfinished = {}      # thread: the beginning of its call
        self.dirty, self.early = set(), []
        self.replies = self.syncs = self.syncs_told = 0
        self.in_journal = 0       # bytes written to the journal since the last reply
        self.in_segment = 0       # bytes written to segments since their last sync

    def see(self, line):
        thread, call = line.rstrip("\n").split(None, 1)
        if call.endswith("<unfinished ...>"):
            self.unfinished[thread] = call[:-len("<unfinished ...>")]
            self.begun(self.unfinished[thread])
        elif call.startswith("<... "):
            self.ended(self.unfinished.pop(thread, "") + call)
        else:
            self.begun(call)
            self.ended(call)

    def file_of(self, call):
        found = re.match(r"\w+\((\d+)<([^>]*)>", call)
        return (found[1], found[2]) if found and any(found[2].startswith(folder) for folder in self.folders) else (None, None)

    def begun(self, call):
        descriptor, path = self.file_of(call)
        if path and call.startswith(("pwrite", "write")):
            self.dirty.add((descriptor, path) if descriptor in self.synchronous else path)
        if call.startswith("sendto(") and '"250 2.0.0 ' in call:
            self.replies += 1
            # The commit's own syncs are part of the proof: a reply that nothing was synced for would be clean as well.
            dirty = {path for path in self.dirty if not (str(path).endswith("/data.mdb") or
                                                         (str(path).endswith(".seg") and self.in_segment < self.in_journal))}
            if dirty or not self.in_journal or self.syncs == self.syncs_told:
                self.early.append((sorted(map(str, dirty)), self.in_segment, self.in_journal, self.syncs - self.syncs_told))
            self.syncs_told, self.in_journal, self.in_segment = self.syncs, 0, 0

    def ended(self, call):
        opened = re.search(r"O_DSYNC.*= (\d+)<", call)
        if call.startswith("openat(") and opened:
            self.synchronous.add(opened[1])
        descriptor, path = self.file_of(call)
        written = re.search(r" = (\d+)$", call)
        if path and call.startswith(("pwrite", "write")) and written:
            self.in_journal += int(written[1]) if "/journal-" in path else 0
            self.in_segment += int(written[1]) if path.endswith(".seg") else 0
        if path and descriptor in self.synchronous:
            self.dirty.discard((descriptor, path))
        elif path and call.startswith(("fdatasync", "fsync")) and call.endswith("= 0"):
            self.dirty.discard(path)
            self.in_segment = 0 if path.endswith(".seg") else self.in_segment
            self.syncs += 1


def cases():
    for row in FAULTS:
        yield row[0], lambda bench, row=row: fault(bench, *row)
    for case in (replies_follow_syncs, index_write_no_space, meta_page_no_space, spool_sync_eio, spool_gone, removal_goes_on):
        yield case.__name__, case
    for name, folders, size, lines in [("full_disk", [""], 24000, LINES), ("full_segments", ["segments", "spool"], 5000, LINES),
                                       ("full_index", ["index"], 7500, (1,)), ("full_index_at_start", ["index"], None, (1,))]:
        yield name, lambda bench, row=(name, folders, size, lines): full(bench, *row)


def run_case(bench, name, case):
    try:
        case(bench)
    except Exception:
        say(traceback.format_exc() + "not ok fault " + name)
        return False
    say("ok fault " + name)
    return True


def say(text):
    with saying:
        print(text, flush=True)


def main():
    binary, part = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    if "POSTHUS_FAULTS_NAMESPACE" not in os.environ:
        os.environ["POSTHUS_FAULTS_NAMESPACE"] = "1"
        own = [] if os.getuid() == 0 else ["-r"]
        os.execvp("unshare", ["unshare", *own, "-m", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    with tempfile.TemporaryDirectory(prefix="posthus-faults-", ignore_cleanup_errors=True) as directory:
        bench = Bench(binary, directory)
        chosen = [(name, case) for name, case in cases() if part in name]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            passed = list(pool.map(lambda row: run_case(bench, *row), chosen))
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
