"""Debian's pebble, a CA that speaks ACME, with a name in a DNS of the test. Standard library only; nothing leaves loopback.

    with Authority() as authority, DnsSite({"ca.test": "@ A 127.0.0.1", ...}) as dns:
        with Pebble(authority, dns, http_port=server.ports["http"], tls_port=server.ports["https"]) as ca:
            ca.directory   "https://ca.test:PORT/dir"
            ca.roots()     a PEM file with the root of what it issues; another one each time it starts
"""
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request

from ports import free_ports

READY_LIMIT = 30  # seconds; only reached when pebble does not start
NAME = "ca.test"


class Pebble:
    def __init__(self, authority, dns, http_port, tls_port, external_keys=None, environment=None, address="127.0.0.1"):
        self.authority, self.dns = authority, dns
        self.port, self.management = free_ports(2)
        self.directory_path = tempfile.mkdtemp(prefix="posthus-pebble-")
        self.directory = "https://%s:%d/dir" % (NAME, self.port)
        self.pair = authority.issue(NAME, "localhost")
        self.environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", **(environment or {})}
        self.process = None
        settings = {"listenAddress": "%s:%d" % (address, self.port), "managementListenAddress": "127.0.0.1:%d" % self.management,
                    "certificate": self.pair.certificate, "privateKey": self.pair.key, "httpPort": http_port, "tlsPort": tls_port,
                    "externalAccountBindingRequired": bool(external_keys), "externalAccountMACKeys": external_keys or {}}
        with open(self.path("config.json"), "w") as f:
            json.dump({"pebble": settings}, f)

    def path(self, name):
        return os.path.join(self.directory_path, name)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory_path, ignore_errors=True)

    def start(self):
        with open(self.path("pebble.log"), "ab") as log:
            self.process = subprocess.Popen(
                ["pebble", "-config", self.path("config.json"), "-dnsserver", "%s:%d" % (self.dns.address, self.dns.port)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, **self.environment})
        end = time.monotonic() + READY_LIMIT
        while True:
            try:
                return self.get("/roots/0")
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("pebble does not serve:\n" + self.log()[-3000:])
            time.sleep(0.02)  # polling for readiness, bounded by READY_LIMIT

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def get(self, path):
        context = ssl.create_default_context(cafile=self.authority.roots)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open("https://localhost:%d%s" % (self.management, path), timeout=10) as answer:
            return answer.read()

    def roots(self):
        path = self.path("roots.pem")
        with open(path, "wb") as f:
            f.write(self.get("/roots/0"))
        return path

    def log(self):
        with open(self.path("pebble.log"), errors="replace") as f:
            return f.read()
