"""Debian's Exim with a configuration of its own, as a peer of the tests: unpacked by tests/support/exim.sh, run as nobody.

Takes mail for its domain into a file (mbox) and sends everything else where the DNS says, at the port it listens on itself.
Needs root for one thing: processes that see a user database and a resolv.conf of their own.
"""
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile

import mail
from outgoing_scene import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
UNPACKED = os.path.join(HERE, "..", "..", "build", "exim")
NOBODY = 65534  # Debian's nobody and nogroup
CONFIGURATION = """
primary_hostname = mx.{domain}
exim_path = {program}
spool_directory = {directory}/spool
log_file_path = {directory}/log/%slog
pid_file_path = {directory}/exim.pid
local_interfaces = {address}
daemon_smtp_ports = {port}
deliver_drop_privilege = true
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
tls_certificate = {directory}/certificate.pem
tls_privatekey = {directory}/key.pem
dsn_advertise_hosts = *
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
begin acl
acl_rcpt:
  accept domains = {domain}
         local_parts = ben
  deny domains = {domain}
       message = Unknown user
  accept hosts = 127.0.0.0/8
acl_data:
  accept
begin routers
here:
  driver = accept
  domains = {domain}
  transport = file
elsewhere:
  driver = dnslookup
  # Exim takes every address of loopback for its own.
  self = send
  transport = smtp
begin transports
file:
  driver = appendfile
  file = {directory}/mail/ben
  return_path_add
smtp:
  driver = smtp
  port = {port}
  interface = {address}
  hosts_require_tls = *
begin retry
* * F,1h,1s
"""
# Seen by Exim alone: it wants a user by this name, and its resolver knows no other port than 53.
AS_NOBODY = """mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && mount --bind "$0/resolv.conf" /etc/resolv.conf &&
exec setpriv --reuid {0} --regid {0} --clear-groups "$@" """.format(NOBODY)


def unpack():
    """Exim's program, fetched and unpacked when it is not there yet."""
    done = subprocess.run([os.path.join(HERE, "..", "support", "exim.sh"), UNPACKED], stdout=subprocess.PIPE, timeout=600, check=True)
    return done.stdout.decode().strip()


class Exim:
    def __init__(self, address, domain, port, resolver, pair):
        self.address, self.domain, self.port, self.resolver, self.pair = address, domain, port, resolver, pair
        self.directory = tempfile.mkdtemp(prefix="posthus-exim-")
        # A copy, since nobody may not be able to enter the directory above ours.
        self.program = self.path("exim4")
        shutil.copy(unpack(), self.program)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def __enter__(self):
        for part in ("spool", "log", "mail"):
            os.mkdir(self.path(part))
        shutil.copy(self.pair.certificate, self.path("certificate.pem"))
        shutil.copy(self.pair.key, self.path("key.pem"))
        with open(self.path("configuration"), "w") as f:
            f.write(CONFIGURATION.format(**vars(self)))
        for name, line in (("passwd", "Debian-exim:x:%d:%d::/nonexistent:/usr/sbin/nologin\n"), ("group", "Debian-exim:x:%d:\n")):
            with open(os.path.join("/etc", name)) as f, open(self.path(name), "w") as own:
                own.write(f.read() + line % ((NOBODY, NOBODY) if name == "passwd" else (NOBODY,)))
        with open(self.path("resolv.conf"), "w") as f:
            f.write("nameserver %s\noptions timeout:2 attempts:2 edns0\n" % self.resolver)
        for folder, _, files in os.walk(self.directory):
            for entry in [folder, *(os.path.join(folder, name) for name in files)]:
                os.chown(entry, NOBODY, NOBODY)
        os.chmod(self.directory, 0o755)
        command = ["unshare", "--mount", "sh", "-c", AS_NOBODY, self.directory, self.program, "-C", self.path("configuration"), "-bd", "-q1s"]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=60)
        wait_for(self.is_listening, "Exim: " + self.log())
        return self

    def __exit__(self, *_):
        try:
            with open(self.path("exim.pid")) as f:
                os.kill(int(f.read()), signal.SIGTERM)
            wait_for(lambda: not self.is_listening(), "the end of Exim")
        except (OSError, ValueError):
            pass  # it is gone already
        shutil.rmtree(self.directory, ignore_errors=True)

    def is_listening(self):
        try:
            with socket.create_connection((self.address, self.port), timeout=2) as s:
                return s.recv(100).startswith(b"220")
        except OSError:
            return False

    def read(self, *parts):
        try:
            with open(self.path(*parts), errors="replace", newline="") as f:
                return f.read()
        except OSError:
            return ""

    def log(self):
        return self.read("log", "mainlog")[-3000:] + self.read("log", "paniclog")[-1000:]

    def mailbox(self):
        return self.read("mail", "ben")

    def wait_for_mail(self, marker):
        """The mailbox from this message on."""
        wait_for(lambda: "Subject: " + marker in self.mailbox(), "%s in Exim's mailbox: %s" % (marker, self.log()))
        return self.mailbox().partition("Subject: " + marker)[2]

    def send(self, recipient, body="Hello.\r\n", rcpt_options=()):
        """From ben@; the marker (the Subject)."""
        marker = mail.unique()
        sender = "ben@" + self.domain
        with smtplib.SMTP(self.address, self.port, local_hostname="client.test") as client:
            client.sendmail(sender, [recipient], mail.message(marker, sender=sender, to=recipient, body=body), rcpt_options=rcpt_options)
        return marker
