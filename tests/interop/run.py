#!/usr/bin/python3
"""The server end to end, over real sockets and LMDB, with stock clients.

usage: run.py POSTHUS [NAME-PART]    prints "ok NAME" or "not ok NAME" per test; exit 1 when one failed.
Each test is a function `test_*` of one of the modules here and gets a Scene: a running server with domain example.test,
users anna and ben, and a folder of its own. Most tests wait for others more than they work, so where a network namespace
may be made (root) several modules run at a time, each on a loopback of its own; elsewhere one after the other.
"""
import concurrent.futures
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import alerts_test  # noqa: E402
import certificates_test  # noqa: E402
import clients_test  # noqa: E402
import command_line_test  # noqa: E402
import corpus_test  # noqa: E402
import domain_names_test  # noqa: E402
import exim_test  # noqa: E402
import hostile_peers_test  # noqa: E402
import hostile_test  # noqa: E402
import limits_test  # noqa: E402
import login_test  # noqa: E402
import names_test  # noqa: E402
import outgoing_test  # noqa: E402
import proxies_test  # noqa: E402
import python_test  # noqa: E402
import queue_test  # noqa: E402
import reports_test  # noqa: E402
import require_tls_test  # noqa: E402
import routing_test  # noqa: E402
import run_script_test  # noqa: E402
import send_test_test  # noqa: E402
import set_up_test  # noqa: E402
import shared_address_test  # noqa: E402
import sharing_test  # noqa: E402
import signing_test  # noqa: E402
import three_servers_test  # noqa: E402
import tls_report_test  # noqa: E402
import tls_policy_test  # noqa: E402
import data_directory_test  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

MODULES = [python_test, reports_test, clients_test, corpus_test, command_line_test, login_test, hostile_test, outgoing_test,
           queue_test, limits_test, routing_test, signing_test, tls_policy_test, require_tls_test, three_servers_test, exim_test,
           hostile_peers_test, send_test_test, tls_report_test, names_test, certificates_test, set_up_test, alerts_test,
           proxies_test, shared_address_test, data_directory_test, sharing_test, domain_names_test, run_script_test]


class Scene:
    """What a test may use: server, two users with their passwords, a folder that goes away."""

    anna, ben = "anna@example.test", "ben@example.test"
    password = "correct-horse-7"

    def __init__(self, server, directory):
        self.server = server
        self.ports = server.ports
        self.directory = directory


AT_A_TIME = 3  # modules; more make each other wait for the processor on two cores
ALONE = ["unshare", "--net"]
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40  # netdevice(7)


def tests_of(module, part):
    return [(n, f) for n, f in vars(module).items() if n.startswith("test_") and part in module.__name__ + "." + n]


def main():
    binary = os.path.abspath(sys.argv[1])
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    modules = [module for module in MODULES if tests_of(module, part)]
    if sys.argv[3:]:  # one of several, in a namespace of its own
        modules = [module for module in modules if module.__name__ == sys.argv[3]]
        raise_loopback()
    elif len(modules) > 1 and subprocess.run(ALONE + ["true"], capture_output=True).returncode == 0:
        sys.exit(run_apart(binary, part, modules))
    sys.exit(1 if sum(run_module(binary, part, module) for module in modules) else 0)


def raise_loopback():
    with socket.socket() as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))


def run_apart(binary, part, modules):
    """Runs each module in a process and a network namespace of its own; 1 when a test failed."""
    def one(module):
        begin = time.monotonic()
        command = ALONE + [sys.executable, os.path.abspath(__file__), binary, part, module.__name__]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode and "not ok" not in done.stdout:
            done.stdout += "not ok %s ended with %d\n" % (module.__name__, done.returncode)
        print("%s%s: %d s" % (done.stdout, module.__name__, time.monotonic() - begin), flush=True)
        return done.returncode

    for module in modules:
        getattr(module, "prepare", lambda: None)()  # fetched while there still is a network
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        return 1 if any(list(pool.map(one, modules))) else 0


def run_module(binary, part, module):
    """The number of tests that failed."""
    with PosthusServer(binary) as server:
        server.add_domain("example.test")
        for user in (Scene.anna, Scene.ben):
            server.add_user(user, Scene.password)
        return sum(run(server, module.__name__ + "." + name, function) for name, function in tests_of(module, part))


def run(server, name, function):
    directory = tempfile.mkdtemp(prefix="posthus-interop-")
    try:
        function(Scene(server, directory))
        print("ok " + name, flush=True)
        return 0
    except Exception:  # a failed assertion or anything else fails this test only
        traceback.print_exc(file=sys.stdout)
        print("not ok " + name, flush=True)
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
