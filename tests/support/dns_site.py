#!/usr/bin/python3
"""A DNS of its own for end-to-end tests: Knot on a loopback port, with a signed root above the zones of the test.

    with DnsSite({"example.test": "@ MX 10 mx\\nmx A 127.0.0.5", "plain.test": "@ A 127.0.0.6"}, insecure=["plain.test"]) as dns:
        dns.server          "127.0.0.1@PORT", for dns.servers
        dns.trust_anchor    a file with the root's DS, for dns.trust_anchor
        dns.environment()   both, for PosthusServer
        dns.set_zone(name, text)
        dns.resolver_address   with resolver=True: an address whose port 53 serves the same, for programs that only know those (root only)

Zone texts are master file lines relative to the zone, without SOA and NS. A zone is secure (signed, delegated with its DS) unless it
is named in `insecure` (not signed), `bogus` (signed, the root has another DS) or `broken` (the server answers SERVFAIL). What no
zone has, the signed root denies. Zones of 127.in-addr.arpa are zones like others.
`address`: where it listens, of an interface of this machine.
`update_key`, base64: who signs with it, under the name update, may change every zone (RFC 2136).

As a program it serves until standard input ends, for tests in C++:  dns_site.py FILE  with the arguments above as JSON;
prints "PORT TRUST-ANCHOR-FILE" when it is ready. Needs Debian's knot. Standard library only.
"""
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from ports import free_port

READY_LIMIT = 30  # seconds; only reached when Knot does not start
SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"


def ask(port, name, kind=6, timeout=0.2, address="127.0.0.1"):
    """(rcode, number of answers) of one question with DO set; None when nothing came."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part)
    question = struct.pack(">HHHHHH", 4711, 0x0100, 1, 0, 0, 1) + labels + b"\0" + struct.pack(">HH", kind, 1)
    question += b"\0" + struct.pack(">HHIH", 41, 4096, 0x8000, 0)  # OPT, RFC 6891
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        try:
            s.sendto(question, (address, port))
            reply = s.recv(65535)
        except OSError:
            return None
    return reply[3] & 15, struct.unpack(">H", reply[6:8])[0]


class DnsSite:
    def __init__(self, zones, insecure=(), bogus=(), broken=(), resolver=False, update_key=None, address="127.0.0.1"):
        self.zones = dict(zones)
        self.update_key = update_key
        self.address = address
        self.resolver_address = "127.53.%d.%d" % (random.randrange(256), random.randrange(1, 255)) if resolver else None
        self.insecure, self.bogus, self.broken = set(insecure), set(bogus), set(broken)
        self.zones.update({name: "" for name in self.broken if name not in self.zones})
        self.serials = {}
        self.process = None
        self.directory = tempfile.mkdtemp(prefix="posthus-dns-")
        self.trust_anchor = os.path.join(self.directory, "root.key")
        self.port = None

    @property
    def server(self):
        return "%s@%d" % (self.address, self.port)

    def environment(self):
        return {"POSTHUS_DNS_SERVERS": self.server, "POSTHUS_DNS_TRUST_ANCHOR": self.trust_anchor}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def path(self, name):
        return os.path.join(self.directory, name)

    def is_signed(self, name):
        return name == "." or name not in self.insecure | self.broken

    def start(self):
        self.port = free_port(self.address)
        self.write_configuration()
        for name in self.zones:
            if name not in self.broken:
                self.write_zone(name, self.zones[name])
        ds = {name: self.make_key(name) for name in [".", *self.zones] if self.is_signed(name)}
        with open(self.trust_anchor, "w") as f:
            f.write(ds["."])
        self.write_zone(".", self.root(ds))
        with open(self.path("knotd.log"), "wb") as log:
            self.process = subprocess.Popen(["knotd", "-c", self.path("knot.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, "PATH": SBIN})
        self.wait_until_ready()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)

    def write_configuration(self):
        more = ", %s@53" % self.resolver_address if self.resolver_address else ""
        lines = [
            "server:", "  rundir: %s" % self.directory, "  listen: [%s@%d%s]" % (self.address, self.port, more), "  udp-workers: 1", "  tcp-workers: 2",
            "  background-workers: 1", "log:", "  - target: stderr", "    any: info", "database:", "  storage: %s" % self.directory,
            "  kasp-db-max-size: 16M", "  journal-db-max-size: 16M", "  timer-db-max-size: 4M",
            "policy:", "  - id: posthus", "    algorithm: ecdsap256sha256",
            "    single-type-signing: on", "    ksk-lifetime: 0", "    nsec3: off"]
        if self.update_key:
            lines += ["key:", "  - id: update", "    algorithm: hmac-sha256", "    secret: %s" % self.update_key,
                      "acl:", "  - id: update", "    key: update", "    action: update"]
        lines += ["zone:"]
        for name in [".", *self.zones]:
            lines += ["  - domain: %s" % name, "    file: %s" % self.zone_file(name), "    zonefile-sync: -1",
                      "    zonefile-load: whole", "    journal-content: none", "    semantic-checks: off"]
            if self.update_key:
                lines += ["    acl: update"]
            if self.is_signed(name):
                lines += ["    dnssec-signing: on", "    dnssec-policy: posthus"]
        with open(self.path("knot.conf"), "w") as f:
            f.write("\n".join(lines) + "\n")

    def zone_file(self, name):
        return self.path("%s.zone" % ("root" if name == "." else name))

    def write_zone(self, name, text):
        self.serials[name] = self.serials.get(name, 0) + 1
        origin = "." if name == "." else name + "."
        head = ["$ORIGIN %s" % origin, "$TTL 60", "@ SOA ns hostmaster %d 3600 600 86400 60" % self.serials[name], "@ NS ns",
                "ns A %s" % self.address]
        with open(self.zone_file(name), "w") as f:
            f.write("\n".join(head) + "\n" + text + "\n")

    def run(self, *command):
        done = subprocess.run(command, env={**os.environ, "PATH": SBIN}, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError("%s: %s%s" % (" ".join(command), done.stdout, done.stderr))
        return done.stdout

    def make_key(self, name):
        """Makes the zone's key; its DS line with SHA-256."""
        zone = ["keymgr", "-c", self.path("knot.conf"), name]
        self.run(*zone, "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes")
        return next(line + "\n" for line in self.run(*zone, "ds").splitlines() if re.search(r" DS \d+ 13 2 ", line))

    def root(self, ds):
        lines = []
        for name in self.zones:
            lines += ["%s. NS ns.%s." % (name, name), "ns.%s. A %s" % (name, self.address)]
            if name in self.bogus:
                head, digest = ds[name].rsplit(" ", 1)
                lines.append(head + " " + "".join("%x" % (15 - int(c, 16)) for c in digest.strip()))
            elif name in ds:
                lines.append(ds[name])
        return "\n".join(lines)

    def is_served(self, name):
        answer = ask(self.port, name, address=self.address)
        if name in self.broken:
            return answer is not None and answer[0] == 2
        return answer is not None and answer[0] == 0 and answer[1] >= (2 if self.is_signed(name) else 1)

    def wait_until_ready(self):
        waiting = [".", *self.zones]
        end = time.monotonic() + READY_LIMIT
        while waiting:
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.path("knotd.log")) as f:
                    raise RuntimeError("knotd does not serve %s:\n%s" % (waiting, f.read()[-3000:]))
            if self.is_served(waiting[0]):
                waiting.pop(0)
            else:
                time.sleep(0.02)  # polling for readiness, bounded by READY_LIMIT

    def set_zone(self, name, text):
        """Replaces what the zone holds; served when this returns. Resolvers may have the old for up to 60 seconds."""
        self.zones[name] = text
        self.write_zone(name, text)
        self.run("knotc", "-c", self.path("knot.conf"), "-b", "zone-reload", name)


def main():
    with open(sys.argv[1]) as f:
        arguments = json.load(f)
    with DnsSite(**arguments) as site:
        print(site.port, site.trust_anchor, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
