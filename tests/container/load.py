"""The whole under a mixed load: SMTP, submission, mail to another server, signed, IMAP, POP3 and the panel's API at once, and how much
memory that took at most."""
import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time

from container import Unavailable
from ports import free_ports
from posthus_server import LISTENERS, PosthusServer

GOAL_MIB = 128
USERS, SECONDS = 20, 8
OUTGOING = 2000
LIMIT = 120  # seconds, for the queue to become empty
# What one account may send and what would look like a break-in: the load is neither.
FREELY = {"limits.messages_per_day": "1000000", "limits.new_recipients_per_day": "1000000", "limits.burst": "1000000",
          "queue.allow_loopback": "1"}
PAGES = ("status", "domains", "users?limit=100", "queue", "trace?limit=100", "certificates", "logs", "alerts", "domains/bench.test/dns", "history?span=hour",
         "audit", "sign-ins")


def test_a_mixed_load_stays_within_its_memory(containers):
    if not os.path.exists(containers.mailbench):
        raise Unavailable("mailbench is not built")
    if not shutil.which("smtp-sink"):
        raise Unavailable("postfix, for its smtp-sink, is not installed")
    *of_listeners, sink_port = free_ports(len(LISTENERS) + 1)
    ports = dict(zip(LISTENERS, of_listeners))  # the load client goes to loopback only
    sink = subprocess.Popen(["smtp-sink", "-u", "postfix", "127.0.0.1:%d" % sink_port, "100"], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        try_load(containers, ports, sink_port)
    finally:
        sink.kill()
        sink.wait()


def try_load(containers, ports, sink_port):
    container = containers.start(containers.volume(), network="host", environment={
        "POSTHUS_HOSTNAME": "mail.bench.test", "POSTHUS_SETUP_ADMIN": "u0000@bench.test", "POSTHUS_SETUP_ADMIN_PASSWORD": "bench-pw",
        "POSTHUS_LISTEN": "127.0.0.1", "POSTHUS_LISTEN_HTTP": "127.0.0.1", "POSTHUS_LOGIN_ALLOW_PLAINTEXT": "true",
        "POSTHUS_LIMITS_CONNECTIONS_PER_NETWORK": "5000", "POSTHUS_LOG_LEVEL": "warning", "POSTHUS_DNS_SERVERS": "127.0.0.1@9",
        **{"POSTHUS_PORTS_" + name.upper(): str(port) for name, port in ports.items()}}).wait_until_healthy()
    for number in range(1, USERS):
        add_user(containers, container, "u%04d@bench.test" % number)
    for name, value in FREELY.items():
        container.cli("setting", "set", name, value)
    container.cli("route", "set", "sink.test", "smtp://127.0.0.1:%d" % sink_port)
    assert "active" in container.cli("dkim", "show", "bench.test"), "what leaves is signed"
    before = container.resident_mib()
    show(run_loads(containers, ports, [("imap-append", "imap", "--conns", 10, "--count", 2000, "--size", 16384)]))
    panel = Panel(ports["https"], json.loads(container.cli("token", "create", "load", "--scope", "admin", "--json"))["token"])
    panel.start()
    show(run_loads(containers, ports, [
        ("smtp", "smtp", "--conns", 20, "--count", 8000, "--size", 8192), ("smtp", "smtp", "--conns", 4, "--count", 12, "--size", 8_000_000),
        ("submission", "submissions", "--tls", 1, "--conns", 5, "--count", 300, "--to", "u0003@bench.test"),
        ("submission", "submissions", "--tls", 1, "--conns", 5, "--count", OUTGOING, "--to", "ben@sink.test"),
        ("imap-append", "imap", "--conns", 10, "--count", 2000, "--size", 16384), ("imap-mix", "imap", "--conns", 40, "--users", 10, "--secs", SECONDS),
        ("imap-login", "imaps", "--tls", 1, "--conns", 8, "--secs", SECONDS), ("pop3-login", "pop3s", "--tls", 1, "--conns", 5, "--users", 5, "--u0", 10, "--secs", SECONDS),
        ("pop3-retr", "pop3", "--conns", 5, "--users", 5, "--u0", 15), ("hold", "imaps", "--proto", "imap", "--tls", 1, "--conns", 200, "--secs", SECONDS)]))
    requests = panel.stop()
    end = time.monotonic() + LIMIT
    while json.loads(container.cli("queue", "list", "--json"))["items"]:
        assert time.monotonic() < end, "mail for the other server is still queued"
        time.sleep(0.2)  # polling, bounded by LIMIT
    taken = re.search(r'^posthus_queue_recipients_total\{result="relayed"\} (\d+)$', panel.get("/metrics"), re.MULTILINE)
    assert taken and int(taken[1]) == OUTGOING, taken
    print("    %d requests of the panel, %s messages taken by another server" % (requests, taken[1]), flush=True)
    peak = container.resident_mib("VmHWM")
    print("    resident: %.1f MiB before, %.1f MiB at most, %.1f MiB after" % (before, peak, container.resident_mib()), flush=True)
    assert peak <= GOAL_MIB, peak
    assert "Everything is consistent" in container.cli("check")


class Panel(threading.Thread):
    """Asks for what pages show, again and again."""

    def __init__(self, port, token):
        super().__init__(daemon=True)
        self.port, self.token = port, token
        self.ending, self.requests, self.failure = threading.Event(), 0, None

    def run(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=PosthusServer.tls())
        while not self.ending.is_set() and not self.failure:
            try:
                path = PAGES[self.requests % len(PAGES)]
                connection.request("GET", "/api/v1/" + path, headers={"Authorization": "Bearer " + self.token})
                answer = connection.getresponse()
                answer.read()
                self.requests += 1
                if answer.status != 200:
                    self.failure = "%s: %d" % (path, answer.status)
            except (http.client.RemoteDisconnected, ConnectionResetError):
                connection.close()  # a connection serves a bounded number of requests
        connection.close()

    def get(self, path):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=PosthusServer.tls())
        connection.request("GET", path, headers={"Authorization": "Bearer " + self.token})
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def stop(self):
        self.ending.set()
        self.join()
        assert not self.failure and self.requests >= len(PAGES), (self.failure, self.requests)
        return self.requests


def show(results):
    for load, result in results:
        print("    %s" % result, flush=True)
        assert re.match("(RESULT|READY) ", result), (load, result)


def add_user(containers, container, address):
    subprocess.run(["podman", "exec", "-i", container.name, "posthus", "user", "add", address, "--password-stdin"], input="bench-pw\n",
                   env=containers.environment, capture_output=True, text=True, timeout=60, check=True)


def run_loads(containers, ports, loads):
    """All at once; each with the line it ends with."""
    results = [None] * len(loads)
    threads = [threading.Thread(target=run_load, args=(containers, ports, loads[i], results, i)) for i in range(len(loads))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def run_load(containers, ports, load, results, index):
    name, listener, *options = load
    done = subprocess.run([containers.mailbench, name, "--port", str(ports[listener]), "--users", str(USERS), *map(str, options)],
                          capture_output=True, text=True, timeout=280)
    results[index] = (load, (done.stdout + done.stderr).strip().replace("\n", "; "))
