#!/usr/bin/python3
"""The server end to end, over real sockets and LMDB, with stock clients.

usage: run.py POSTHUS [NAME-PART]    prints "ok NAME" or "not ok NAME" per test; exit 1 when one failed.
Each test is a function `test_*` of one of the modules here and gets a Scene: a running server with domain example.test,
users anna and ben, and a folder of its own.
"""
import os
import shutil
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import certificates_test  # noqa: E402
import clients_test  # noqa: E402
import command_line_test  # noqa: E402
import corpus_test  # noqa: E402
import exim_test  # noqa: E402
import hostile_peers_test  # noqa: E402
import hostile_test  # noqa: E402
import login_test  # noqa: E402
import names_test  # noqa: E402
import outgoing_test  # noqa: E402
import python_test  # noqa: E402
import reports_test  # noqa: E402
import require_tls_test  # noqa: E402
import send_test_test  # noqa: E402
import set_up_test  # noqa: E402
import signing_test  # noqa: E402
import three_servers_test  # noqa: E402
import tls_report_test  # noqa: E402
import tls_policy_test  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

MODULES = [python_test, reports_test, clients_test, corpus_test, command_line_test, login_test, hostile_test, outgoing_test,
           signing_test, tls_policy_test, require_tls_test, three_servers_test, exim_test,
           hostile_peers_test, send_test_test, tls_report_test, names_test, certificates_test, set_up_test]


class Scene:
    """What a test may use: server, two users with their passwords, a folder that goes away."""

    anna, ben = "anna@example.test", "ben@example.test"
    password = "correct-horse-7"

    def __init__(self, server, directory):
        self.server = server
        self.ports = server.ports
        self.directory = directory


def main():
    binary = os.path.abspath(sys.argv[1])
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    failures = 0
    for module in MODULES:
        tests = [(n, f) for n, f in vars(module).items() if n.startswith("test_") and part in module.__name__ + "." + n]
        if not tests:
            continue
        with PosthusServer(binary) as server:
            server.add_domain("example.test")
            for user in (Scene.anna, Scene.ben):
                server.add_user(user, Scene.password)
            for name, function in tests:
                failures += run(server, module.__name__ + "." + name, function)
    sys.exit(1 if failures else 0)


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
