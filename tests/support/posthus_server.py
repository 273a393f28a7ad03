"""A Posthus server of its own for end-to-end tests: free loopback ports, a data directory in a temporary folder.

Used by tests/interop, tests/crash and tests/bench. Standard library only.
"""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from ports import free_ports

LISTENERS = ["smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps", "http", "https"]
READY_LIMIT = 30  # seconds; only reached when the server does not start


class PosthusServer:
    """Starts `binary serve`; the CLI works on the same data directory. Use as a context manager."""

    def __init__(self, binary, directory=None, environment=None, wrapper=None):
        self.binary = os.path.abspath(binary)
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="posthus-test-")
        self.data = os.path.join(self.directory, "data")
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTHUS_")}
        self.environment.update({"POSTHUS_HOSTNAME": "localhost", "POSTHUS_LISTEN": "127.0.0.1"})
        for name, port in self.ports.items():
            self.environment["POSTHUS_PORTS_" + name.upper()] = str(port)
        self.environment.update(environment or {})
        self.wrapper = wrapper or []
        self.process = None
        self.log_path = os.path.join(self.directory, "server.log")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def launch(self):
        """Starts the process without waiting until it serves."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.wrapper + [self.binary, "serve", "--data", self.data], env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory)

    def start(self):
        self.launch()
        end = time.monotonic() + READY_LIMIT
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError("the server ended with %d:\n%s" % (self.process.returncode, self.log()[-3000:]))
            if self.is_ready():
                return
            time.sleep(0.01)  # polling for readiness, bounded by READY_LIMIT
        raise RuntimeError("the server did not get ready:\n" + self.log()[-3000:])

    def is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.ports["http"]), timeout=2) as s:
                s.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return s.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def kill(self):
        """kill -9, as a power cut of the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode if self.process else None

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def cli(self, *arguments, stdin=b"", check=True):
        """Runs a command on this data directory; returns the CompletedProcess."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        done = subprocess.run([self.binary, *arguments, "--data", self.data], input=stdin, env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.directory, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError("posthus %s: exit %d: %s%s" % (" ".join(arguments), done.returncode, done.stdout.decode(), done.stderr.decode()))
        return done

    def cli_json(self, *arguments):
        return json.loads(self.cli(*arguments, "--json").stdout)

    def add_domain(self, name):
        self.cli("domain", "add", name)

    def add_user(self, address, password, *options):
        self.cli("user", "add", address, "--password-stdin", *options, stdin=password + "\n")

    @staticmethod
    def tls():
        """A client context that accepts the self-signed certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not the default one: it would read every CA of the system
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
