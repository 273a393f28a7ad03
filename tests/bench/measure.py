"""Drives Posthus and its peers with the same client, interleaved, and prints the table of RESULTS.md.

usage: measure.py BUILD-DIRECTORY [PART...]; see run.sh. Everything runs on loopback.
"""
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

import mail  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

RUNS = int(os.environ.get("RUNS", "3"))
PEER = {"smtp": 2525, "imap": 1143, "imaps": 1993, "pop3": 1110, "pop3s": 1995}
USERS = 100
BIG, MIDDLE = 100_000, 10_000


def warn_of_packet_filters():
    """Rules that look at connections (of containers, say) cost every packet on loopback microseconds, and distort what is compared."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        try:
            with open("/proc/sys/net/netfilter/nf_conntrack_count") as f:
                tracked = int(f.read())
        except OSError:
            return
    if tracked:
        print("WARNING: the kernel tracks connections on loopback (packet filter rules); remove them for figures to keep")


class Bench:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.directory = tempfile.mkdtemp(prefix="posthus-bench-", dir=os.environ.get("BENCH_DIR"))
        os.chmod(self.directory, 0o755)  # the peers run as users of their own
        self.peers = os.path.join(self.directory, "peers")
        self.rows = []
        self.server = PosthusServer(self.build + "/posthus", os.path.join(self.directory, "posthus"), {
            "POSTHUS_LOGIN_ALLOW_PLAINTEXT": "true", "POSTHUS_LIMITS_CONNECTIONS": "20000", "POSTHUS_LIMITS_CONNECTIONS_PER_NETWORK": "20000",
            "POSTHUS_LOG_LEVEL": os.environ.get("POSTHUS_LOG_LEVEL", "info")})
        os.makedirs(self.server.directory, exist_ok=True)

    def __enter__(self):
        subprocess.run([HERE + "/peers.sh", "start", self.peers], check=True)
        self.server.start()
        self.server.add_domain("bench.test")
        for i in range(USERS):
            self.server.add_user("u%04d@bench.test" % i, "bench-pw")
        return self

    def __exit__(self, *_):
        self.server.stop()
        subprocess.run([HERE + "/peers.sh", "stop", self.peers], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def client(self, load, ours, protocol, *options, stdin=None):
        port = (self.server.ports if ours else PEER)[protocol]
        tls = ["--tls", "1"] if protocol.endswith("s") else []
        done = subprocess.run([self.build + "/tests/mailbench", load, "--port", str(port), *tls, *map(str, options)], input=stdin,
                              stdout=subprocess.PIPE, text=True, timeout=900)
        print(("posthus " if ours else "peer    ") + done.stdout.strip(), flush=True)
        return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in done.stdout.splitlines() if line.startswith("RESULT")]

    def compare(self, name, key, load, protocol, *options, ours_options=(), peer_options=(), bar=None, runs=RUNS):
        """Medians of interleaved runs; higher is better."""
        ours, peer = [], []
        for _ in range(runs):
            for values, mine in ((peer, False), (ours, True)):
                result = self.client(load, mine, protocol, *options, *(ours_options if mine else peer_options))
                values.append(float(result[0][key]))
        self.row(name, statistics.median(ours), statistics.median(peer), "/s", bar, higher=True)

    def row(self, name, ours, peer, unit, bar=None, higher=True):
        ratio = (ours / peer if higher else peer / ours) if peer and ours else 0
        self.rows.append((name, ours, peer, unit, ratio, bar))
        print("ROW %s: %.4g%s against %.4g%s = %.2f x%s" % (name, ours, unit, peer, unit, ratio, " (bar %s)" % bar if bar else ""), flush=True)

    def timed(self, mailbox_commands, runs=RUNS):
        """{label: (ours ms, peer ms)} medians of commands run in one connection each."""
        values = {}
        for _ in range(runs):
            for mine in (False, True):
                for result in self.client("imap-cmd", mine, "imap", "--u0", 90, stdin=mailbox_commands):
                    values.setdefault(result["label"], ([], []))[0 if mine else 1].append(float(result["ms"]))
        return {label: (statistics.median(a), statistics.median(b)) for label, (a, b) in values.items()}


def smtp(bench):
    def check(mine):
        return ["--check-port", (bench.server.ports if mine else PEER)["imap"], "--users", 20]
    # Counts such that each side works for some seconds: the peer's rate falls while its queue fills.
    for name, conns, size, count, peer_count, bar in (("SMTP 250 and readable, 10 connections, 4 KiB", 10, 4096, 20000, 5000, 20),
                                                      ("SMTP 250 and readable, 10 connections, 64 KiB", 10, 65536, 6000, 2000, 10),
                                                      ("SMTP 250 and readable, 1 connection, 4 KiB", 1, 4096, 3000, 3000, 4)):
        bench.compare(name, "readable_per_s", "smtp", "smtp", "--conns", conns, "--size", size,
                      ours_options=[*check(True), "--count", count], peer_options=[*check(False), "--count", peer_count], bar=bar)
    floors = subprocess.run([bench.build + "/tests/floors", bench.directory, "2"], stdout=subprocess.PIPE, text=True).stdout
    print(floors)
    for line in floors.splitlines():
        fields = dict(re.findall(r"(\w+)=(\S+)", line))
        bench.rows.append(("floor: " + fields["floor"], float(fields["per_s"]), 0, "/s", 0, None))


def pop3(bench):
    for mine in (True, False):
        bench.client("imap-append", mine, "imap", "--conns", 20, "--users", 20, "--u0", 30, "--count", 40000, "--size", 8192)
    for name, options, bar in (("POP3 RETR 8 KiB, 1 session, pipelined", ["--conns", 1, "--depth", 50, "--rounds", 5], 2),
                               ("POP3 RETR 8 KiB, 20 sessions", ["--conns", 20, "--users", 20], 2)):
        bench.compare(name, "messages_per_s", "pop3-retr", "pop3", "--u0", 30, *options, bar=bar)


def imap(bench):
    for mine in (True, False):
        for box, count, size in (("BIG", BIG, 2048), ("MID", MIDDLE, 8192)):
            bench.client("imap-append", mine, "imap", "--conns", 20, "--u0", 90, "--count", count, "--size", size, "--mailbox", box)
    big = bench.timed("|SELECT BIG\n" + 15 * "select|SELECT BIG\n" + "flags|FETCH 1:* (FLAGS UID)\nenvelope|FETCH 1:* (ENVELOPE)\n"
                      "fields|FETCH 1:* BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)]\nsearch-unseen|SEARCH UNSEEN\nsearch-subject|SEARCH SUBJECT zzz\n"
                      "store|STORE 1:* +FLAGS (\\Seen)\nunstore|STORE 1:* -FLAGS.SILENT (\\Seen)\n")
    middle = bench.timed("|SELECT MID\nbodies|FETCH 1:* BODY.PEEK[]\nsearch-body|SEARCH BODY zzzzqq\n|CREATE TMPC\ncopy|COPY 1:* TMPC\n|SELECT TMPC\n"
                         "delete|STORE 1:* +FLAGS.SILENT (\\Deleted)\nexpunge|EXPUNGE\n|CLOSE\n|DELETE TMPC\n")
    for label, name, bar in (("select", "SELECT, 100 000 messages, warm", 1), ("flags", "FETCH 1:* (FLAGS UID), 100 000", 2),
                             ("envelope", "FETCH 1:* (ENVELOPE), 100 000", 5), ("fields", "FETCH 1:* header fields, 100 000", None),
                             ("search-unseen", "SEARCH UNSEEN, 100 000", None), ("search-subject", "SEARCH SUBJECT, 100 000", None),
                             ("store", "STORE 1:* +FLAGS, 100 000", None), ("unstore", "STORE 1:* -FLAGS.SILENT, 100 000", None)):
        bench.row(name, *big[label], "ms", bar, higher=False)
    for label, name, bar in (("bodies", "FETCH 1:* BODY.PEEK[], 10 000 x 8 KiB", 1.5), ("search-body", "SEARCH BODY, 10 000 x 8 KiB", None),
                             ("copy", "COPY 1:*, 10 000", None), ("delete", "STORE 1:* +FLAGS.SILENT (\\Deleted), 10 000", None), ("expunge", "EXPUNGE of 10 000", None)):
        bench.row(name, *middle[label], "ms", bar, higher=False)
    bench.compare("APPEND 8 KiB, 20 connections", "appends_per_s", "imap-append", "imap", "--conns", 20, "--users", 20, "--u0", 60, "--size", 8192,
                  "--count", 12000, "--mailbox", "AP", bar=4)
    bench.compare("APPEND 8 KiB, 1 connection", "appends_per_s", "imap-append", "imap", "--u0", 60, "--size", 8192, "--count", 3000, "--mailbox", "AQ")
    for conns in (50, 100):
        bench.compare("mix of %d clients, commands" % conns, "commands_per_s", "imap-mix", "imap", "--conns", conns, "--users", 50, "--u0", 10, "--secs", 6, runs=2)


def logins(bench):
    bench.compare("IMAP logins, 8 connections", "logins_per_s", "imap-login", "imap", "--conns", 8, "--users", 20, "--secs", 4, bar=10)
    bench.compare("IMAP logins, 8 connections, TLS", "logins_per_s", "imap-login", "imaps", "--conns", 8, "--users", 20, "--secs", 4)
    bench.compare("POP3 logins, 8 connections", "logins_per_s", "pop3-login", "pop3", "--conns", 8, "--users", 20, "--secs", 4, runs=2)


def resident_kib(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def idle_kib(pid):
    """Resident set of a server that has had nothing to do for two seconds: by then it has given back the index pages that the last
    work mapped (they are the page cache's, not the server's)."""
    time.sleep(2)
    return resident_kib(pid)


def held(bench, count, protocol, tls_port):
    client = subprocess.Popen([bench.build + "/tests/mailbench", "hold", "--port", str(bench.server.ports[tls_port]), "--proto", protocol, "--tls",
                               "1" if tls_port.endswith("s") else "0", "--conns", str(count), "--users", "20", "--secs", "300"], stdout=subprocess.PIPE, text=True)
    print(client.stdout.readline().strip(), flush=True)
    return client


def idle(bench):
    """Resident growth per held connection at 5000 connections, each IMAP one selected and in IDLE."""
    for name, protocol, port, bar in (("IMAP IDLE, plain", "imap", "imap", 8), ("IMAP IDLE, TLS", "imap", "imaps", 24), ("SMTP after EHLO", "smtp", "smtp", 8)):
        bench.server.stop()
        bench.server.start()
        warm = held(bench, 20, protocol, port)
        warm.send_signal(signal.SIGTERM)
        warm.wait()
        before = idle_kib(bench.server.process.pid)
        client = held(bench, 5000, protocol, port)
        after = idle_kib(bench.server.process.pid)
        client.send_signal(signal.SIGTERM)
        client.wait()
        bench.rows.append(("idle connection, KiB resident: " + name, (after - before) / 5000, 0, " KiB", 0, "<= %d" % bar))
        print("ROW", bench.rows[-1], flush=True)


def large(bench):
    """Growth of the peak resident set while 50 MiB messages arrive, one and twenty at once."""
    text = mail.message("large", body="") + (b"x" * 76 + b"\r\n") * (50 * 1024 * 1024 // 78 - 20)  # the limit counts the header too
    for count, bar in ((1, 4), (20, 32)):
        bench.server.stop()
        bench.server.start()
        for _ in range(20):
            mail.mx(bench.server_scene).sendmail("a@elsewhere.test", ["u0001@bench.test"], mail.message("warm"))
        pid = bench.server.process.pid
        with open("/proc/%d/clear_refs" % pid, "w") as f:
            f.write("5")
        before = resident_kib(pid)
        path = os.path.join(bench.directory, "large.eml")
        with open(path, "wb") as f:
            f.write(text)
        senders = [subprocess.Popen([sys.executable, "-c", "import smtplib,sys; c=smtplib.SMTP('127.0.0.1',int(sys.argv[1]),local_hostname='c.test');"
                                     "c.sendmail('a@elsewhere.test',['u0001@bench.test'],open(sys.argv[2],'rb').read())", str(bench.server.ports["smtp"]), path])
                   for _ in range(count)]
        failed = sum(s.wait() != 0 for s in senders)
        with open("/proc/%d/status" % pid) as f:
            peak = int(next(line for line in f if line.startswith("VmHWM")).split()[1])
        bench.rows.append(("peak resident growth, MiB: %d message(s) of 50 MiB at once, %d failed" % (count, failed), (peak - before) / 1024, 0, " MiB", 0, "< %d" % bar))
        print("ROW", bench.rows[-1], flush=True)


def start(bench):
    """Start to ready with the store as it is now, and the resident set of the idle server."""
    bench.server.stop()
    values = []
    for _ in range(5):
        begin = time.monotonic()
        bench.server.start()
        values.append((time.monotonic() - begin) * 1e3)
        bench.server.stop()
    bench.server.start()
    bench.rss = idle_kib(bench.server.process.pid)
    bench.rows.append(("start to ready", statistics.median(values), 0, " ms", 0, "<= 200"))
    bench.rows.append(("idle server, resident", bench.rss / 1024, 0, " MiB", 0, "<= 16"))
    print("ROW", bench.rows[-2], bench.rows[-1], flush=True)


class ServerScene:
    def __init__(self, server):
        self.ports, self.password = server.ports, "bench-pw"


def main():
    warn_of_packet_filters()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    parts = {"smtp": smtp, "pop3": pop3, "imap": imap, "logins": logins, "start": start, "idle": idle, "large": large}
    wanted = sys.argv[2:] or list(parts)
    with Bench(sys.argv[1]) as bench:
        bench.server_scene = ServerScene(bench.server)
        for part in wanted:
            parts[part](bench)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True, cwd=HERE).stdout.strip()
    print("\n%s, commit %s, median of %d interleaved runs\n" % (time.strftime("%Y-%m-%d"), commit, RUNS))
    print("| what | Posthus | Postfix + Dovecot | ratio | bar |\n| --- | --- | --- | --- | --- |")
    for name, ours, peer, unit, ratio, bar in bench.rows:
        print("| %s | %.4g%s | %s | %s | %s |" % (name, ours, unit, "%.4g%s" % (peer, unit) if peer else "", "%.1f" % ratio if peer else "", bar or ""))


if __name__ == "__main__":
    main()
