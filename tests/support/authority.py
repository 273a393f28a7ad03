"""A certificate authority of its own for end-to-end tests, by the openssl program. Standard library only.

    with Authority() as authority:
        authority.roots                      a PEM file with its root, for outgoing.roots
        pair = authority.issue("mx.a.test")  pair.certificate, pair.key: PEM files; pair.tlsa: what a TLSA 3 1 1 record holds
"""
import collections
import hashlib
import os
import shutil
import subprocess
import tempfile

Pair = collections.namedtuple("Pair", "certificate key tlsa")


class Authority:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="posthus-authority-")
        self.count = 0
        self.root_key, self.roots = self.path("root.key"), self.path("root.pem")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.root_key, "-out",
                 self.roots, "-days", "30", "-subj", "/CN=Authority of the tests", "-addext", "basicConstraints=critical,CA:TRUE")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def run(*arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, timeout=60)
        if done.returncode:
            raise RuntimeError("openssl %s: %s" % (" ".join(arguments), done.stderr.decode()))
        return done.stdout

    def issue(self, *names, days=10):
        """A certificate for the names; `days` below 0: it expired then."""
        self.count += 1
        base = self.path(str(self.count))
        key, request, certificate, extensions = base + ".key", base + ".csr", base + ".pem", base + ".cnf"
        with open(extensions, "w") as f:
            f.write("subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\n" % ",".join("DNS:" + name for name in names))
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj",
                 "/CN=" + names[0])
        self.run("x509", "-req", "-in", request, "-CA", self.roots, "-CAkey", self.root_key, "-CAcreateserial", "-days", str(days),
                 "-extfile", extensions, "-out", certificate)
        with open(certificate, "a") as f, open(self.roots) as root:
            f.write(root.read())
        return Pair(certificate, key, hashlib.sha256(self.run("pkey", "-in", key, "-pubout", "-outform", "DER")).hexdigest())
