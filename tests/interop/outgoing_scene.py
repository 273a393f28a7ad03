"""Servers with domains of their own on loopback addresses of their own, and what they need to exchange mail: settings, a sink, other
peers. Used by outgoing_test.py. Standard library only; no packet leaves loopback."""
import email
import email.policy
import imaplib
import json
import os
import pwd
import shutil
import smtplib
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

import mail
from ports import free_ports
from posthus_server import PosthusServer

# WHY 150: what the DNS could not prove once, on a machine with too much to do, libunbound does not ask for again within 60.
PATIENCE = 150  # seconds; only reached when what is waited for does not come
PASSWORD = "correct-horse-7"
# Everything within seconds, and mail exchangers on loopback.
QUICK = {"queue.first_retry_seconds": "1", "queue.max_retry_seconds": "1", "queue.allow_loopback": "1", "queue.connect_seconds": "5"}


def wait_for(condition, what, explain=lambda: ""):
    """What `condition` returns, once it is true; else a failure with what `explain` knows."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)  # polling, bounded by PATIENCE
    raise AssertionError("did not come: %s %s" % (what, explain()))


class Site:
    """A Posthus server at one address with one domain and one user, anna@ or as told. `smtp_port`: the same for all that find each
    other through the DNS."""

    def __init__(self, binary, address, domain, user="anna", smtp_port=None, environment=None):
        self.address, self.domain, self.user = address, domain, "%s@%s" % (user, domain)
        self.server = PosthusServer(binary)
        if smtp_port:
            self.server.ports["smtp"] = smtp_port
        self.server.environment.update({"POSTHUS_HOSTNAME": "mx." + domain, "POSTHUS_LISTEN": address,
                                        "POSTHUS_PORTS_SMTP": str(self.server.ports["smtp"]),
                                        "POSTHUS_OUTGOING_SMTP_PORT": str(self.server.ports["smtp"]),
                                        # Nothing is asked beyond loopback: port 9 does not answer.
                                        "POSTHUS_DNS_SERVERS": "127.0.0.1@9", "POSTHUS_DNS_TRUST_ANCHOR": ""})
        self.server.environment.update(environment or {})

    def __enter__(self):
        # WHY before the start: others try to deliver all the time, and would be told that there is no such user.
        self.server.add_domain(self.domain)
        self.server.add_user(self.user, PASSWORD)
        self.server.start()
        for name, value in dict(QUICK, **{"queue.bind_addresses": self.address}).items():
            self.set(name, value)
        return self

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.server.directory, ignore_errors=True)

    @property
    def smtp_port(self):
        return self.server.ports["smtp"]

    def call(self, method, path, body=None):
        """The admin API through admin.sock; the decoded answer."""
        data = b"" if body is None else json.dumps(body).encode()
        head = "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (method, path, len(data))
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.server.data, "admin.sock"))
            s.sendall(head.encode() + data)
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        head, _, text = answer.partition(b"\r\n\r\n")
        assert head.split()[1].startswith(b"2"), answer.decode(errors="replace")
        return json.loads(text) if text else None

    def set(self, name, value):
        self.call("PUT", "/api/v1/settings/" + name.replace("@", "%40"), {"value": value})

    def route(self, name, *hops):
        self.server.cli("route", "set", name, *hops)

    def send(self, *to, marker=None, sender=None, options=(), rcpt_options=(), body="Hello.\r\n"):
        """Submits a message; its marker (the Subject)."""
        marker = marker or mail.unique()
        client = smtplib.SMTP(self.address, self.server.ports["submission"], local_hostname="client.test")
        client.starttls(context=PosthusServer.tls())
        client.login(self.user, PASSWORD)
        refused = client.sendmail(sender or self.user, list(to), mail.message(marker, sender=self.user, to=to[0], body=body), options, rcpt_options)
        assert not refused, refused
        client.quit()
        return marker

    def inbox(self, user=None):
        """The messages of an inbox, parsed."""
        client = imaplib.IMAP4_SSL(self.address, self.server.ports["imaps"], ssl_context=PosthusServer.tls())
        client.login(user or self.user, PASSWORD)
        client.select("INBOX")
        _, found = client.search(None, "ALL")
        messages = []
        for number in found[0].split():
            _, data = client.fetch(number, "(RFC822)")
            messages.append(email.message_from_bytes(data[0][1], policy=email.policy.default))
        client.logout()
        return messages

    def wait_for_mail(self, marker, explain=lambda: ""):
        """The message with this Subject, once it is here."""
        return wait_for(lambda: next((m for m in self.inbox() if m["Subject"] == marker), None), "%s for %s" % (marker, self.user), explain)

    def wait_for_report(self, count=1):
        """The delivery reports in the inbox, once there are `count`."""
        def reports():
            found = [m for m in self.inbox() if m.get_content_type() == "multipart/report"]
            return found if len(found) >= count else None
        return wait_for(reports, "a report for " + self.user)

    def queue(self):
        return self.server.cli_json("queue", "list")["items"]

    def wait_for_empty_queue(self):
        wait_for(lambda: not self.queue(), "an empty queue at " + self.domain)


class PlainHost:
    """A mail server in Python. `answer(line)` may give another reply to a command line; `delay` seconds before every reply."""

    def __init__(self, address, port=0, answer=None, delay=0):
        self.answer, self.delay = answer or (lambda line: None), delay
        self.messages = []
        self.connections = 0
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                outer.stopping.wait(outer.delay)
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                outer.connections += 1
                try:
                    self.converse()
                except OSError:
                    pass

            def converse(self):
                self.say("220 plain.test ESMTP")
                for raw in self.rfile:
                    line = raw.decode(errors="replace").strip()
                    reply = outer.answer(line)
                    if reply:
                        self.say(reply)
                    elif line.upper() == "DATA":
                        self.say("354 go on")
                        text = b""
                        for data in self.rfile:
                            if data == b".\r\n":
                                break
                            text += data
                        outer.messages.append(text)
                        self.say("250 2.0.0 taken")
                    elif line.upper() == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.stopping = threading.Event()
        self.server = Server((address, port), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def wait_for_mail(self, marker, explain=lambda: ""):
        wait_for(lambda: any(marker.encode() in m for m in self.messages), marker, explain)


class Postfix:
    """Debian's Postfix with a configuration of its own. Takes mail for `domains` into a file (mbox) and sends everything else to
    `relayhost` ("[127.0.0.2]:PORT"), or where the DNS at `resolver` (an address, port 53) says, at the port it listens on itself.
    `pair`: a certificate, for STARTTLS."""

    def __init__(self, address, *domains, relayhost="", port=None, resolver=None, pair=None):
        self.address, self.domains, self.relayhost, self.resolver, self.pair = address, domains, relayhost, resolver, pair
        self.port = port or free_ports(1)[0]
        self.directory = tempfile.mkdtemp(prefix="posthus-postfix-")

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def __enter__(self):
        os.chmod(self.directory, 0o755)
        for part in ("etc", "queue", "data", "mail"):
            os.mkdir(self.path(part))
        self.write_main()
        self.write_master()
        open(self.path("etc", "dynamicmaps.cf"), "w").close()
        if self.resolver:
            with open(self.path("etc", "resolv.conf"), "w") as f:
                f.write("nameserver %s\noptions timeout:2 attempts:2 edns0\n" % self.resolver)
        for part in ("data", "mail"):
            shutil.chown(self.path(part), "postfix")
        self.command("check", check=False)
        self.start()
        return self

    def write_main(self):
        user = pwd.getpwnam("postfix")
        lines = [
            "compatibility_level = 3.6", "queue_directory = " + self.path("queue"), "data_directory = " + self.path("data"),
            "command_directory = /usr/sbin", "daemon_directory = /usr/lib/postfix/sbin", "mail_owner = postfix",
            "setgid_group = postdrop", "myhostname = mx." + self.domains[0], "mydestination = ",
            # Postfix wants the address of an interface here; what it listens on is in master.cf.
            "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4", "smtp_bind_address = " + self.address,
            "mynetworks = 127.0.0.0/8", "alias_maps = ",
            "virtual_mailbox_domains = " + " ".join(self.domains), "virtual_mailbox_base = " + self.path("mail"),
            "virtual_mailbox_maps = inline:{%s}" % ", ".join("ben@%s=ben" % domain for domain in self.domains),
            "virtual_uid_maps = static:%d" % user.pw_uid, "virtual_gid_maps = static:%d" % user.pw_gid, "virtual_minimum_uid = 1",
            "relayhost = " + self.relayhost, "smtp_tls_security_level = may", "maillog_file = " + self.path("postfix.log"),
            "maillog_file_prefixes = /tmp", "smtputf8_enable = no", "shlib_directory = /usr/lib/postfix", "meta_directory = /etc/postfix",
            # Within seconds, as QUICK.
            "queue_run_delay = 1s", "minimal_backoff_time = 1s", "maximal_backoff_time = 2s", "smtp_connect_timeout = 5s",
            "smtp_tcp_port = %d" % self.port, "default_destination_concurrency_failed_cohort_limit = 0"]
        if self.pair:
            lines += ["smtpd_tls_security_level = may", "smtpd_tls_received_header = yes", "smtpd_tls_cert_file = " + self.pair.certificate,
                      "smtpd_tls_key_file = " + self.pair.key]
        with open(self.path("etc", "main.cf"), "w") as f:
            f.write("\n".join(lines) + "\n")

    def write_master(self):
        with open("/usr/share/postfix/master.cf.dist") as f:
            lines = f.read().splitlines()
        master = []
        for line in lines:
            words = line.split()
            if len(words) >= 8 and words[1] in ("inet", "unix", "fifo") and not line.startswith((" ", "#")):
                words[4] = "n"  # no chroot: the sandbox would need copies of system files
                if words[:2] == ["smtp", "inet"]:
                    words[0] = "%s:%d" % (self.address, self.port)
                line = " ".join(words)
            master.append(line)
        if not any(line.startswith("postlog ") for line in master):
            master.append("postlog unix-dgram n - n - 1 postlogd")
        with open(self.path("etc", "master.cf"), "w") as f:
            f.write("\n".join(master) + "\n")

    def start(self):
        self.command("start")
        wait_for(self.is_listening, "Postfix: " + self.log())

    def stop(self):
        self.command("stop", check=False)

    def command(self, what, check=True):
        command = ["/usr/sbin/postfix", "-c", self.path("etc"), what]
        if self.resolver:  # the C library knows no other way to another resolver than this file: the processes get one of their own
            script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", script, self.path("etc", "resolv.conf"), *command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        assert not check or done.returncode == 0, done.stdout.decode() + self.log()

    def is_listening(self):
        try:
            with socket.create_connection((self.address, self.port), timeout=2) as s:
                return s.recv(100).startswith(b"220")
        except OSError:
            return False

    def log(self):
        try:
            with open(self.path("postfix.log"), errors="replace") as f:
                return f.read()[-3000:]
        except OSError:
            return "(no log)"

    def mailbox(self):
        try:
            with open(self.path("mail", "ben"), errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def wait_for_mail(self, marker):
        wait_for(lambda: "Subject: " + marker in self.mailbox(), "%s in Postfix's mailbox: %s" % (marker, self.log()))

    def count(self, marker):
        return self.mailbox().count("Subject: %s\n" % marker)

    def send(self, recipient, sender=None, marker=None):
        """From ben@ its first domain; the marker (the Subject)."""
        marker = marker or mail.unique()
        sender = sender or "ben@" + self.domains[0]
        with smtplib.SMTP(self.address, self.port, local_hostname="client.test") as client:
            client.sendmail(sender, [recipient], mail.message(marker, sender=sender, to=recipient))
        return marker

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
