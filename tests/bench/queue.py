"""Outgoing mail, measured: beside Postfix, with a queue full of mail nobody takes, with a destination that answers slowly.

usage: queue.py BUILD-DIRECTORY [PART...]; see queue.sh. Everything runs on loopback.
"""
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

from dns_site import DnsSite  # noqa: E402
from outgoing_scene import PlainHost, Postfix, Site, wait_for  # noqa: E402
from ports import free_ports  # noqa: E402
from resident import Watched, resident_mib  # noqa: E402

RUNS = int(os.environ.get("RUNS", "3"))
USERS = 50
PASSWORD = "bench-pw"
DEAD_DOMAINS, DEAD_MESSAGES = 1000, int(os.environ.get("DEAD_MESSAGES", "100000"))
# What one account may send and what would look like a break-in: the load is neither.
FREELY = {"limits.messages_per_day": "100000000", "limits.new_recipients_per_day": "100000000", "limits.burst": "100000000"}
rows = []


def row(name, ours, peer=None, unit="", ratio=None, bar=""):
    rows.append((name, "%.4g%s" % (ours, unit), "" if peer is None else "%.4g%s" % (peer, unit), "" if ratio is None else "%.2f" % ratio, bar))
    print("ROW", rows[-1], flush=True)


class Sink:
    """Postfix's smtp-sink; knows how many messages it took and when the last one came."""

    def __init__(self, port=None, address="127.0.0.1"):
        self.port = port or free_ports(1)[0]
        self.count, self.last = 0, 0.0
        self.process = subprocess.Popen(["smtp-sink", "-c", "-u", "postfix", "-m", "1000", "%s:%d" % (address, self.port), "1000"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                return
            counts = re.findall(rb"mesg=(\d+)", piece) or re.findall(rb"(\d+)\s*\r", piece)
            if counts and int(counts[-1]) > self.count:
                self.count, self.last = int(counts[-1]), time.monotonic()

    def stop(self):
        self.process.kill()
        self.process.wait()


class PosthusRelay(Site):
    """A Posthus with bench.test and its users; what leaves goes as told. Postfix does not sign, so we do only where said."""

    def __init__(self, build, environment=None, signs=False):
        self.signs = signs
        super().__init__(build + "/posthus", "127.0.0.1", "bench.test", "u0000", environment=dict(
            {"POSTHUS_LOGIN_ALLOW_PLAINTEXT": "true", "POSTHUS_LOG_LEVEL": os.environ.get("POSTHUS_LOG_LEVEL", "info")}, **(environment or {})))

    def __enter__(self):
        self.server.start()
        self.server.add_domain(self.domain)
        for i in range(USERS):
            self.server.add_user("u%04d@bench.test" % i, PASSWORD)
        for name, value in FREELY.items():
            self.set(name, value)
        self.set("queue.allow_loopback", "1")
        if not self.signs:
            self.stop_signing()
        return self

    def stop_signing(self):
        """Pending keys are left: a domain without any would get new ones, and sign, at the next start."""
        keys = "/api/v1/domains/bench.test/dkim"
        self.call("POST", keys + "/rotate")
        for key in self.call("GET", keys)["items"]:
            if key["state"] == "active":
                self.call("DELETE", keys + "/" + key["selector"])

    def restart(self):
        """Seconds until it is ready."""
        self.server.stop()
        begin = time.monotonic()
        self.server.start()
        return time.monotonic() - begin

    @property
    def port(self):
        return self.server.ports["submissions"]


def submit(build, port, count, *options, conns=50, quiet=False, ours=True):
    """As submission asks for: with TLS and a login. Postfix takes it as it comes from its own networks, in the clear."""
    options += ("--tls", 1) if ours else ("--login", 0)
    done = subprocess.run([build + "/tests/mailbench", "submission", "--port", str(port), "--conns", str(conns), "--count", str(count),
                           *map(str, options)], stdout=subprocess.PIPE, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout
    if not quiet:
        print("  " + done.stdout.strip(), flush=True)
    return dict(re.findall(r"(\w+)=(\S+)", done.stdout))


class SigningPostfix(Postfix):
    """Postfix with Debian's opendkim as its milter: signs with one RSA-2048 key, where Posthus makes an Ed25519 signature as well."""

    def __enter__(self):
        super().__enter__()
        port = free_ports(1)[0]
        key, settings = self.path("dkim.key"), self.path("opendkim.conf")
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", key, "2048"], check=True, stderr=subprocess.DEVNULL)
        with open(settings, "w") as f:
            f.write("\n".join(["Socket inet:%d@127.0.0.1" % port, "Domain bench.test", "Selector bench", "KeyFile " + key, "Mode s",
                               "Canonicalization relaxed/relaxed", "InternalHosts 127.0.0.0/8", "RequireSafeKeys no", "Syslog no", ""]))
        self.milter = subprocess.Popen(["opendkim", "-f", "-x", settings], stdin=subprocess.DEVNULL)
        for setting in ("smtpd_milters=inet:127.0.0.1:%d" % port, "milter_default_action=tempfail"):
            subprocess.run(["postconf", "-c", self.path("etc"), "-e", setting], check=True)
        self.command("reload")
        return self

    def __exit__(self, *what):
        self.milter.terminate()
        self.milter.wait()
        super().__exit__(*what)


# ---- submission to remote delivery ----

def through(build, port, sink, count, *options, ours=True):
    """Messages a second from the first connection until the sink has the last one."""
    target, begin = sink.count + count, time.monotonic()
    submit(build, port, count, "--size", 4096, "--users", USERS, *options, ours=ours)
    wait_for(lambda: sink.count >= target, "all messages at the sink: %d of %d" % (count - target + sink.count, count))
    return count / (sink.last - begin)


def relay(build):
    """One domain elsewhere, and two hundred; all of them by a route to one sink. Both without DKIM, then both with."""
    scenes = [("one domain", 1, False), ("200 domains", 200, False), ("one domain, both signing", 1, True)]
    if not shutil.which("opendkim"):
        print("opendkim is not there: what signing costs is not compared", flush=True)
        scenes.pop()
    for name, domains, signs in scenes:
        sink = Sink()
        try:
            with PosthusRelay(build, signs=signs) as ours, \
                    (SigningPostfix if signs else Postfix)("127.0.0.1", "peer.test", relayhost="[127.0.0.1]:%d" % sink.port) as peer:
                ours.route("*", "smtp://127.0.0.1:%d" % sink.port)
                compare(build, "submission to remote delivery, 4 KiB, 50 sessions, " + name, sink, domains, ours, peer)
        finally:
            sink.stop()


def compare(build, name, sink, domains, ours, peer):
    options = ("--domains", domains, "--to", "x@d%04ld.sink.test")
    through(build, ours.port, sink, 2000, *options)  # warm
    through(build, peer.port, sink, 500, *options, ours=False)
    rates = ([], [])
    for _ in range(RUNS):
        for values, port, count, mine in ((rates[1], peer.port, 2000, False), (rates[0], ours.port, 12000, True)):
            values.append(through(build, port, sink, count, *options, ours=mine))
            print("%s: %.1f/s" % ("posthus" if mine else "postfix", values[-1]), flush=True)
    a, b = map(statistics.median, rates)
    row(name, a, b, "/s", a / b, "5")


# ---- one destination that answers slowly ----

def slow(build):
    """Others' mail beside 200 messages for a host that takes ten seconds for every reply, and without them."""
    sink = Sink()
    try:
        with PosthusRelay(build) as ours, PlainHost("127.0.0.1", delay=10) as host:
            ours.route("*", "smtp://127.0.0.1:%d" % sink.port)
            ours.route("slow.test", "smtp://127.0.0.1:%d" % host.port)
            deliver = lambda count: count / through(build, ours.port, sink, count, "--domains", 100, "--to", "x@d%03ld.sink.test")  # noqa: E731
            deliver(2000)  # warm
            without, beside = [], []
            for _ in range(RUNS):
                without.append(deliver(6000))
                submit(build, ours.port, 200, "--to", "x@slow.test", conns=10, quiet=True)
                wait_for(lambda: host.connections > 0, "a connection to the slow host")
                beside.append(deliver(6000))
                ours.call("POST", "/api/v1/queue", {"action": "remove", "domain": "slow.test"})
            a, b = statistics.median(beside), statistics.median(without)
            row("6000 messages for others beside a host with a reply every 10 s, and without it", a, b, " s", a / b, "about 1")
    finally:
        sink.stop()


# ---- a thousand dead domains ----

class DeadHosts:
    """Addresses of 127.1.0.0/16 for 1000 domains. At the port: half refuse connections, nine twentieths never answer them (a full
    backlog), one twentieth take them and never say a word."""

    def __init__(self, port):
        self.port, self.sockets = port, []

    @staticmethod
    def address(i):
        return "127.1.%d.%d" % (i // 250, i % 250 + 1)

    def __enter__(self):
        for i in range(DEAD_DOMAINS):
            if i % 20 < 10:
                continue
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.address(i), self.port))
            listener.listen(0 if i % 20 < 19 else 500)
            self.sockets.append(listener)
            for _ in range(3 if i % 20 < 19 else 0):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex((self.address(i), self.port))
                self.sockets.append(filler)
        return self

    def __exit__(self, *_):
        for s in self.sockets:
            s.close()


def dead_zone():
    lines = []
    for i in range(DEAD_DOMAINS):
        lines += ["d%04d MX 10 mx.d%04d" % (i, i), "mx.d%04d A %s" % (i, DeadHosts.address(i))]
    return "\n".join(lines)


class Live:
    """Mail for live.test: how fast many arrive, and how soon one does."""

    def __init__(self, build, ours, sink):
        self.build, self.ours, self.sink = build, ours, sink

    def rate(self, count=6000):
        return through(self.build, self.ours.port, self.sink, count, "--to", "x@live.test")

    def delay(self, count=30):
        delays = []
        for _ in range(count):
            before, begin = self.sink.count, time.monotonic()
            submit(self.build, self.ours.port, 1, "--to", "x@live.test", conns=1, quiet=True)
            wait_for(lambda: self.sink.count > before, "one message")  # noqa: B023
            delays.append((self.sink.last - begin) * 1e3)
        return statistics.median(delays)


def dead(build):
    """Two servers in turn, so that what else the machine does meets both: one has the dead mail, one has nothing."""
    port = free_ports(1)[0]
    sink = Sink(port, "127.0.0.3")
    zones = {"dead.test": dead_zone(), "live.test": "@ MX 10 mx\nmx A 127.0.0.3"}
    try:
        with DnsSite(zones, insecure=["dead.test", "live.test"]) as dns, DeadHosts(port):
            settings = dict(dns.environment(), POSTHUS_OUTGOING_SMTP_PORT=str(port))
            with PosthusRelay(build, settings) as ours, PosthusRelay(build, settings) as other, Watched(ours.server.process.pid) as watched:
                pair = [Live(build, server, sink) for server in (ours, other)]
                for live in pair:
                    live.ours.set("queue.connect_seconds", "10")
                    live.rate(2000)  # warm
                print("  MiB before:", resident_mib(watched.pid), flush=True)
                watched.most()
                submit(build, ours.port, DEAD_MESSAGES, "--size", 1024, "--domains", DEAD_DOMAINS, "--to", "x@d%04ld.dead.test")
                rows_of_memory(watched, "while they are accepted")
                in_turn("one message for a live domain while 1000 dead ones are tried first, median: with, without", " ms", pair, Live.delay)
                measure_dead(ours, pair, watched)
                restart_dead(ours, pair, watched)
    finally:
        sink.stop()


def in_turn(name, unit, pair, measure, runs=RUNS):
    values = ([], [])
    for _ in range(runs):
        for side, live in zip(values, pair):
            side.append(measure(live))
    a, b = map(statistics.median, values)
    print("  ", name, values, flush=True)
    row(name, a, b, unit, a / b, "about 1")


def untried(ours):
    """Destinations that have not been attempted yet."""
    count, after = 0, ""
    while after is not None:
        page = ours.call("GET", "/api/v1/queue/destinations?limit=100" + ("&after=" + after if after else ""))
        count += sum(item["last_attempt"] is None for item in page["items"])
        after = page["next"]
    return count


def measure_dead(ours, pair, watched):
    end = time.monotonic() + 600
    while untried(ours) > 60 and time.monotonic() < end:  # what never greets takes its five minutes
        time.sleep(5)
    row("dead destinations not tried yet", untried(ours))
    rows_of_memory(watched, "while all are tried")
    pages(ours)
    rows_of_memory(watched, "while pages of the queue are read")
    in_turn("live domain beside them, messages: with, without", "/s", pair, Live.rate)
    in_turn("live domain beside them, one message, median: with, without", " ms", pair, Live.delay)
    rows_of_memory(watched, "while live mail goes beside them")


def rows_of_memory(watched, when):
    """Its own memory, which nobody else can have, and what it has mapped of files, which the kernel may take back at any time."""
    peaks, looks = watched.most()
    row("100 000 messages for 1000 dead domains, resident %s, most of %d looks" % (when, looks), peaks["VmRSS"], unit=" MiB", bar="<= 64 MiB")
    row("most of it the server's own (RssAnon)", peaks["RssAnon"], unit=" MiB")
    row("most of it mapped files, the program among them (RssFile)", peaks["RssFile"], unit=" MiB")


def pages(ours):
    """One page of the queue, at its beginning, in its middle, for one domain."""
    first = ours.call("GET", "/api/v1/queue?limit=100")
    for name, query in (("first", ""), ("second", "&after=" + first["next"]), ("of one domain", "&domain=d0500.dead.test")):
        times = []
        for _ in range(20):
            begin = time.monotonic()
            ours.call("GET", "/api/v1/queue?limit=100" + query)
            times.append((time.monotonic() - begin) * 1e3)
        row("queue list, 100 messages, %s page, median of 20" % name, statistics.median(times), unit=" ms", bar="<= 20 ms")
    for name, path in (("queue destinations, 100 of 1000", "queue/destinations?limit=100"),
                       ("queue destinations, the most waiting first", "queue/destinations?limit=100&sort=waiting"),
                       ("queue destinations, the next attempt first", "queue/destinations?limit=100&sort=next_attempt"),
                       ("queue list, the newest of all first", "queue?limit=100&sort=newest"), ("queue list, the largest of all first", "queue?limit=100&sort=size")):
        times = []
        for _ in range(5):
            begin = time.monotonic()
            ours.call("GET", "/api/v1/" + path)
            times.append((time.monotonic() - begin) * 1e3)
        row(name + ", median of 5", statistics.median(times), unit=" ms")


def restart_dead(ours, pair, watched):
    row("restart to ready with them", ours.restart() * 1e3, unit=" ms", bar="<= 1000 ms")

    def first_rate(live):
        """The first burst after a start checks fifty passwords and fills all caches, whatever the queue holds."""
        live.ours.restart()
        watched.pid = ours.server.process.pid
        return live.rate()
    in_turn("live domain right after a restart, messages: with, without", "/s", pair, first_rate)
    rows_of_memory(watched, "right after a restart")


PARTS = {"relay": relay, "slow": slow, "dead": dead}


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    build = os.path.abspath(sys.argv[1])
    for part in sys.argv[2:] or list(PARTS):
        PARTS[part](build)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True, cwd=HERE).stdout.strip()
    print("\n%s, commit %s\n" % (time.strftime("%Y-%m-%d"), commit))
    print("| what | Posthus | Postfix | ratio | bar |\n| --- | --- | --- | --- | --- |")
    for cells in rows:
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
