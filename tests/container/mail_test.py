"""Two containers of the image exchange mail: names in Knot with DNSSEC, certificates from pebble, DANE between them."""
import imaplib
import json
import os
import smtplib
import ssl
import time

from authority import Authority
from clients import PASSWORD, call
from dns_site import DnsSite
from pebble import Pebble
from posthus_server import PosthusServer

LIMIT = 60  # seconds, for what comes by itself


def wait_for(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "still waiting for " + what
        time.sleep(0.2)  # polling, bounded by LIMIT


def reverse_zone(addresses):
    """Names of addresses of one /24."""
    octets = next(iter(addresses)).split(".")
    lines = ["%s PTR %s." % (address.rpartition(".")[2], name) for address, name in addresses.items()]
    return ".".join(reversed(octets[:3])) + ".in-addr.arpa", "\n".join(lines)


class Site:
    """A container with a domain of its own, set up by API or, with a `secret` (a file with the password), by settings alone."""

    def __init__(self, containers, dns, ca, domain, number, secret=None):
        self.domain, self.hostname = domain, "mail." + domain
        self.user = "%s@%s" % ("anna" if domain == "a.test" else "ben", domain)
        address = containers.address(number)
        # Port 25, as other servers expect it: without privileges, because this network lets everybody have it.
        options = ["--hostname", self.hostname, "--sysctl", "net.ipv4.ip_unprivileged_port_start=0",
                   "-v", dns.trust_anchor + ":/root.key:ro,z", "-v", ca.authority.roots + ":/roots.pem:ro,z"]
        environment = {"POSTHUS_DNS_SERVERS": dns.server, "POSTHUS_DNS_TRUST_ANCHOR": "/root.key", "POSTHUS_OUTGOING_ROOTS": "/roots.pem",
                       "POSTHUS_PORTS_SMTP": "25"}
        if secret:  # as docker/README.md says it
            options += ["-v", secret + ":/run/secrets/admin:ro,z"]
            environment.update({"POSTHUS_SETUP_ADMIN": self.user, "POSTHUS_SETUP_ADMIN_PASSWORD_FILE": "/run/secrets/admin",
                                "POSTHUS_SETUP_ADDRESSES": address, "POSTHUS_ACME_HOSTNAMES": self.hostname,
                                "POSTHUS_ACME_ACCEPT_TERMS": "true", "POSTHUS_ACME_CONTACT": self.user, "POSTHUS_ACME_DIRECTORY": ca.directory})
        self.container = containers.start(containers.volume(), *options, address=address, environment=environment).wait_until_healthy()
        self.dns = dns
        if secret:
            self.is_set_up_by_settings(address)
        else:
            self.set_up_by_api(ca, address)

    def set_up_by_api(self, ca, address):
        token = self.container.token()

        def step(method, path, body=None):
            return call(self.container, method, path, body, token)

        step("PUT", "setup/hostname", {"hostname": self.hostname, "addresses": [address]})
        step("PUT", "setup/admin", {"address": "admin@" + self.domain, "password": PASSWORD})
        step("PUT", "setup/certificate", {"mode": "acme", "contact": "admin@" + self.domain, "directory": ca.directory, "accept_terms": True})
        # Served, not only there: the TLSA record is of what is served.
        wait_for(lambda: step("GET", "setup/certificate")["default"]["source"] == "store", "a certificate")
        self.publish(step("GET", "setup/dns")["items"], address)
        self.names_are_right(step("POST", "setup/dns/check"))
        step("PUT", "setup/mailbox", {"address": self.user, "password": PASSWORD})
        step("POST", "setup/finish")

    def is_set_up_by_settings(self, address):
        assert "one-time token" not in self.container.log() and PASSWORD not in self.container.log()
        wait_for(lambda: "All other names: store" in self.container.cli("certificate", "list"), "a certificate")
        self.publish(json.loads(self.container.cli("dns", self.domain, "--json"))["items"], address)
        checked = self.container.podman_exec("posthus", "dns", self.domain, "--check", "--json")
        self.names_are_right(json.loads(checked.stdout))

    @staticmethod
    def names_are_right(found):
        wrong = [i for i in found["items"] if i["importance"] == "required" and i["state"] != "ok"]
        assert not wrong, wrong

    def publish(self, records, address):
        """Into Knot, as the server says: all but what is of other zones, and of names that have no host here."""
        own = [r["zone_line"] for r in records if (r["name"] + ".").endswith(self.domain + ".") and r["type"] != "PTR"]
        lines = set("".join(own).splitlines())
        lines.add("mail A " + address)
        self.dns.set_zone(self.domain, "\n".join(sorted(lines)))

    def client(self, roots):
        context = ssl.create_default_context(cafile=roots)
        client = smtplib.SMTP_SSL(host=None, context=context, local_hostname="client.test", timeout=30)
        client._host = self.hostname
        client.connect(self.container.address, 2465)
        client.login(self.user, PASSWORD)
        return client

    def inbox(self):
        client = imaplib.IMAP4_SSL(self.container.address, 2993, ssl_context=PosthusServer.tls())
        client.login(self.user, PASSWORD)
        client.select("INBOX", readonly=True)
        count = client.search(None, "ALL")[1][0].split()
        texts = [client.fetch(number, "BODY.PEEK[]")[1][0][1] for number in count]
        client.logout()
        return texts


def test_two_containers_exchange_mail_with_certificates_and_dnssec(containers):
    gateway = containers.make_network()
    addresses = {containers.address(41): "mail.a.test", containers.address(42): "mail.b.test"}
    reverse, names = reverse_zone(addresses)
    zones = {"ca.test": "@ A " + gateway, reverse: names}
    for address, name in addresses.items():
        zones[name.partition(".")[2]] = "mail A " + address
    with Authority() as authority, DnsSite(zones, address=gateway) as dns:
        with Pebble(authority, dns, http_port=2080, tls_port=2443, address=gateway) as ca:
            secret = containers.path("admin")
            with open(secret, "w") as f:
                f.write(PASSWORD + "\n")
            os.chmod(secret, 0o644)
            a, b = Site(containers, dns, ca, "a.test", 41), Site(containers, dns, ca, "b.test", 42, secret)
            roots = ca.roots()
            for sender, receiver in ((a, b), (b, a)):
                with sender.client(roots) as client:
                    text = "From: %s\r\nTo: %s\r\nSubject: from %s\r\n\r\nhello\r\n" % (sender.user, receiver.user, sender.domain)
                    client.sendmail(sender.user, [receiver.user], text)
                wait_for(lambda: receiver.inbox(), "the message of " + sender.domain)
                got = receiver.inbox()[0].decode()
                assert "Received: from " + sender.hostname in got and "with ESMTPS" in got and "DKIM-Signature:" in got, got
            for site in (a, b):
                site.container.kill()
                site.container.start()
                assert len(site.inbox()) == 1, "everything is there after kill -9"
                site.client(roots).quit()  # the CA's certificate, and the password
                assert [d["name"] for d in json.loads(site.container.cli("domain", "list", "--json"))["items"]] == [site.domain]
            with a.client(roots) as client:  # and it goes on
                client.sendmail(a.user, [b.user], "From: %s\r\nSubject: after the kill\r\n\r\nhello\r\n" % a.user)
            wait_for(lambda: len(b.inbox()) == 2, "a message after the kill")
