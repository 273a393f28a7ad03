"""The whole under a mixed load: SMTP, submission, IMAP, POP3 at once, and how much memory that took at most."""
import os
import re
import subprocess
import threading

from container import Unavailable
from posthus_server import LISTENERS, free_ports

GOAL_MIB = 128
USERS, SECONDS = 20, 8


def test_a_mixed_load_stays_within_its_memory(containers):
    if not os.path.exists(containers.mailbench):
        raise Unavailable("mailbench is not built")
    ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))  # the load client goes to loopback only
    container = containers.start(containers.volume(), network="host", environment={
        "POSTHUS_HOSTNAME": "mail.bench.test", "POSTHUS_SETUP_ADMIN": "u0000@bench.test", "POSTHUS_SETUP_ADMIN_PASSWORD": "bench-pw",
        "POSTHUS_LISTEN": "127.0.0.1", "POSTHUS_LISTEN_HTTP": "127.0.0.1", "POSTHUS_LOGIN_ALLOW_PLAINTEXT": "true",
        "POSTHUS_LIMITS_CONNECTIONS_PER_NETWORK": "5000", "POSTHUS_LOG_LEVEL": "warning", "POSTHUS_DNS_SERVERS": "127.0.0.1@9",
        **{"POSTHUS_PORTS_" + name.upper(): str(port) for name, port in ports.items()}}).wait_until_healthy()
    for number in range(1, USERS):
        add_user(containers, container, "u%04d@bench.test" % number)
    before = container.resident_mib()
    show(run_loads(containers, ports, [("imap-append", "imap", "--conns", 10, "--count", 2000, "--size", 16384)]))
    show(run_loads(containers, ports, [
        ("smtp", "smtp", "--conns", 20, "--count", 8000, "--size", 8192), ("smtp", "smtp", "--conns", 4, "--count", 12, "--size", 8_000_000),
        ("submission", "submissions", "--tls", 1, "--conns", 5, "--count", 300, "--to", "u0003@bench.test"),
        ("imap-append", "imap", "--conns", 10, "--count", 2000, "--size", 16384), ("imap-mix", "imap", "--conns", 40, "--users", 10, "--secs", SECONDS),
        ("imap-login", "imaps", "--tls", 1, "--conns", 8, "--secs", SECONDS), ("pop3-login", "pop3s", "--tls", 1, "--conns", 5, "--users", 5, "--u0", 10, "--secs", SECONDS),
        ("pop3-retr", "pop3", "--conns", 5, "--users", 5, "--u0", 15), ("hold", "imaps", "--proto", "imap", "--tls", 1, "--conns", 200, "--secs", SECONDS)]))
    peak = container.resident_mib("VmHWM")
    print("    resident: %.1f MiB before, %.1f MiB at most, %.1f MiB after" % (before, peak, container.resident_mib()), flush=True)
    assert peak <= GOAL_MIB, peak
    assert "Everything is consistent" in container.cli("check")


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
