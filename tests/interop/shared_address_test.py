"""A container's gateway that hides the clients: a network namespace whose default gateway is 172.30.9.1, where all clients are.

Needs root, for the namespaces; no packet leaves them."""
import contextlib
import json
import os
import socket
import subprocess
import sys

from outgoing_scene import PASSWORD, wait_for
from posthus_server import PosthusServer

SERVER, GATEWAY, NEIGHBOUR = "172.30.9.3", "172.30.9.1", "172.30.9.9"
# Run in the namespace of the clients, with addresses and ports as arguments.
CLIENTS = r'''
import imaplib, smtplib, sys
server, source, smtp, imap, password, wrong = sys.argv[1:4] + sys.argv[4:]
for domain in ("one.example", "two.example"):
    with smtplib.SMTP(server, int(smtp), "mx." + domain, source_address=(source, 0), timeout=60) as client:
        client.sendmail("ben@" + domain, ["anna@here.test"], "Subject: from %s\r\n\r\nHello.\r\n" % domain)
class Imap(imaplib.IMAP4):
    def _create_socket(self, timeout):
        import socket
        return socket.create_connection((self.host, self.port), timeout, source_address=(source, 0))
for i in range(int(wrong)):
    client = Imap(server, int(imap), timeout=60)
    try:
        client.login("guess%d@here.test" % i, "wrong")
    except imaplib.IMAP4.error:
        pass
    client.shutdown()
client = Imap(server, int(imap), timeout=60)
client.login("anna@here.test", password)
client.select()
print(len(client.search(None, "NOT", "SUBJECT", "Alert:")[1][0].split()))
'''


class NamespacedServer(PosthusServer):
    """A server in the network namespace of another process; asked over its socket whether it is ready."""

    def is_ready(self):
        return os.path.exists(os.path.join(self.data, "admin.sock")) and self.cli("health", check=False).returncode == 0


@contextlib.contextmanager
def namespaces():
    """Process ids that hold the namespace of the server and that of the gateway, joined by a pair of interfaces."""
    holders = [subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for holder in holders:
            holder.stdout.readline()  # from now on it is in its own
        here, there = (str(holder.pid) for holder in holders)

        def run(pid, *command):
            subprocess.run(["nsenter", "-t", pid, "-n", "ip", *command], check=True, timeout=30)

        run(here, "link", "add", "inside", "type", "veth", "peer", "name", "outside", "netns", there)
        for pid, name, addresses in ((here, "inside", [SERVER]), (there, "outside", [GATEWAY, NEIGHBOUR])):
            run(pid, "link", "set", "lo", "up")
            for address in addresses:
                run(pid, "addr", "add", address + "/24", "dev", name)
            run(pid, "link", "set", name, "up")
        run(here, "route", "add", "default", "via", GATEWAY)
        yield here, there
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
            holder.stdout.close()


def warnings(server):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(os.path.join(server.data, "admin.sock"))
        s.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = s.makefile("rb").read()
    return json.loads(answer.partition(b"\r\n\r\n")[2])["warnings"]


def clients(server, there, source, wrong):
    done = subprocess.run(["nsenter", "-t", there, "-n", sys.executable, "-c", CLIENTS, SERVER, source, str(server.ports["smtp"]),
                           str(server.ports["imap"]), PASSWORD, str(wrong)], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def test_a_gateway_that_hides_its_clients_is_told_of_and_not_banned(scene):
    with namespaces() as (here, there):
        server = NamespacedServer(scene.server.binary, wrapper=["nsenter", "-t", here, "-n"],
                                  environment={"POSTHUS_LISTEN": SERVER, "POSTHUS_LOGIN_ALLOW_PLAINTEXT": "true",
                                               "POSTHUS_DNS_SERVERS": "127.0.0.1@9", "POSTHUS_DNS_TRUST_ANCHOR": ""})
        with server:
            server.add_domain("here.test")
            server.add_user("anna@here.test", PASSWORD)
            server.cli("setting", "set", "alerts.interval_seconds", "1")
            assert warnings(server) == []
            assert clients(server, there, NEIGHBOUR, 0) == "2"
            assert warnings(server) == [], "two servers behind a private address that is no gateway are nothing special"
            # 50 failures slow an address down; here they are of others.
            assert clients(server, there, GATEWAY, 52) == "4"
            told = warnings(server)
            assert [(w["kind"], w["address"]) for w in told] == [("gateway_hides_clients", GATEWAY)], told
            assert "proxy.addresses" in told[0]["detail"], told
            wait_for(lambda: "net.address_shared" in server.log(), "the line in the log")
            wait_for(lambda: [(a["kind"], a["subject"]) for a in server.cli_json("alert", "list")["items"]] == [("shared_address", GATEWAY)], "the alert")
            assert server.log().count("net.address_shared") == 1, server.log()[-2000:]
