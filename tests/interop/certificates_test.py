"""Certificates: ordered from Debian's pebble by http-01 and tls-alpn-01, served by SNI on every TLS listener, renewed, uploaded, read
from files that change. RFC 8555, RFC 8737."""
import contextlib
import json
import os
import poplib
import shutil
import smtplib
import socket
import ssl
import time
from datetime import datetime, timedelta

from authority import Authority
from dns_site import DnsSite
from limiting_ca import LimitingCa
from outgoing_scene import wait_for
from pebble import Pebble
from ports import free_ports
from posthus_server import PosthusServer

NAME, OTHER = "mail.example.test", "imap.example.test"
ZONES = {"ca.test": "@ A 127.0.0.1", "example.test": "mail A 127.0.0.1\nimap A 127.0.0.1\nnowhere TXT \"no address\""}


class Site:
    """A server of its own with a CA and the DNS both ask."""

    def __init__(self, scene, settings=None, http_port=None, zones=None, **pebble):
        self.zones = zones or ZONES
        self.binary, self.settings, self.http_port, self.pebble = scene.server.binary, settings or {}, http_port, pebble

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.authority = stack.enter_context(Authority())
            self.dns = stack.enter_context(DnsSite(self.zones))
            self.server = PosthusServer(self.binary)
            stack.callback(shutil.rmtree, self.server.directory, True)
            self.ca = stack.enter_context(Pebble(self.authority, self.dns, self.http_port or self.server.ports["http"],
                                                 self.server.ports["https"], **self.pebble))
            self.server.environment.update({**self.dns.environment(), "POSTHUS_HOSTNAME": NAME, "POSTHUS_OUTGOING_ROOTS": self.authority.roots,
                                            "POSTHUS_ACME_DIRECTORY": self.ca.directory, "POSTHUS_ACME_CONTACT": "postmaster@example.test",
                                            "POSTHUS_ACME_ACCEPT_TERMS": "true", **self.settings})
            self.server.add_domain("elsewhere.test")  # a server without one is not set up: its mail listeners say 421
            self.server.start()
            stack.callback(self.server.stop)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def order(self, name=NAME, check=True):
        return self.server.cli("certificate", "order", name, check=check)

    def items(self):
        return {item["hostname"]: item for item in self.server.cli_json("certificate", "list")["items"]}

    def set(self, name, value):
        self.server.cli("setting", "set", name, value)

    def served(self, name, listener="https"):
        """The certificate, DER, that a TLS listener gives who names this host; not verified."""
        with socket.create_connection(("127.0.0.1", self.server.ports[listener]), timeout=20) as plain:
            with PosthusServer.tls().wrap_socket(plain, server_hostname=name) as tls:
                return tls.getpeercert(binary_form=True)

    def in_use(self, name, before):
        """Waits until a certificate that was stored is served: the listeners take it up right after, not with it."""
        end = time.monotonic() + 20
        while self.served(name) == before:
            assert time.monotonic() < end, "the certificate of %s is not served" % name
            time.sleep(0.02)

    def proves(self, context, name, listener="https"):
        with socket.create_connection(("127.0.0.1", self.server.ports[listener]), timeout=20) as plain:
            try:
                context.wrap_socket(plain, server_hostname=name).close()
                return True
            except ssl.SSLCertVerificationError:
                return False

    def verified(self, name, roots):
        """Every TLS listener proves the name by these roots. All take a stored certificate up at one moment, soon after it is stored."""
        context = ssl.create_default_context(cafile=roots)
        wait_for(lambda: self.proves(context, name), "a proof of %s" % name)
        for listener in ("https", "imaps", "pop3s", "submissions"):
            assert self.proves(context, name, listener), listener
        for listener in ("smtp", "submission"):
            client = smtplib.SMTP(local_hostname="client.test", timeout=20)
            client._host = name  # what starttls() names and verifies
            client.sock = socket.create_connection(("127.0.0.1", self.server.ports[listener]), timeout=20)
            assert client.getreply()[0] == 220
            client.starttls(context=context)
            client.quit()
        pop3 = poplib.POP3("127.0.0.1", self.server.ports["pop3"], timeout=20)
        pop3.host = name
        pop3.stls(context=context)
        pop3.quit()


def test_a_certificate_is_ordered_by_http_and_chosen_by_sni(scene):
    with Site(scene) as site:
        before = site.served("other.example.test")
        assert b"All other names: self-signed, days left: 82" in site.server.cli("certificate", "list").stdout
        out = site.order(OTHER).stdout.decode()
        assert "Obtained the certificate of %s from" % OTHER in out, out
        site.in_use(OTHER, before)
        roots = site.ca.roots()
        site.verified(OTHER, roots)
        assert site.served("other.example.test") == before, "who names another host gets the default"
        item = site.items()[OTHER]
        assert item["source"] == "acme" and item["state"] == "valid" and item["names"] == [OTHER], item
        assert item["days_left"] > 0 and item["last_error"] is None and item["next_attempt"] > item["obtained"], item
        # That of our own name is the default.
        site.order(NAME)
        site.in_use(NAME, before)
        site.verified(NAME, roots)
        assert site.served("other.example.test") == site.served(NAME) != before
        assert b"All other names: store" in site.server.cli("certificate", "list").stdout
        served = site.served(OTHER)
        site.server.stop()
        site.server.start()
        assert site.served(OTHER) == served, "kept over a restart"
        shown = json.dumps(site.items()) + site.server.log()
        assert "PRIVATE KEY" not in shown
        site.server.cli("certificate", "remove", OTHER)
        assert site.served(OTHER) == site.served(NAME)
        assert OTHER not in site.items()


def test_names_of_a_domain_get_certificates_by_themselves(scene):
    wanted = {"autoconfig.example.test", "mta-sts.example.test"}
    zones = {**ZONES, "example.test": ZONES["example.test"] + "\nautoconfig A 127.0.0.1\nmta-sts CNAME mail\nautodiscover A 127.0.0.3"}
    with Site(scene, zones=zones) as site:
        site.server.add_domain("example.test")
        site.set("acme.domain_names", "1")  # looked at once, not some minutes later
        wait_for(lambda: wanted <= {n for n, item in site.items().items() if item["state"] == "valid"}, "certificates of " + str(wanted))
        listed = site.server.cli("certificate", "list").stdout.decode()
        assert sum(line.startswith("Not ordered: ") and "elsewhere.test" not in line for line in listed.splitlines()) == 1, listed
        assert "Not ordered: autodiscover.example.test: The name leads to 127.0.0.3, and this server is at 127.0.0.1" in listed, listed
        assert "autodiscover.example.test" not in site.ca.log(), "the CA is not bothered with it"
        context = ssl.create_default_context(cafile=site.ca.roots())
        for name in wanted:
            wait_for(lambda: site.proves(context, name), "a proof of %s" % name)  # noqa: B023


def test_tls_alpn_proves_a_name_when_only_that_port_is_reachable(scene):
    with Site(scene, http_port=free_ports(1)[0]) as site:
        failed = site.order(check=False)
        assert failed.returncode == 1 and b"[http-01]" in failed.stderr, failed
        item = site.items()[NAME]
        assert item["state"] == "failing" and item["failures"] == 1 and item["next_attempt"] > item["last_attempt"], item
        site.order()  # the other proof's turn
        site.verified(NAME, site.ca.roots())
        assert site.items()[NAME]["failures"] == 0
        # The challenge is gone: who asks for it gets no certificate.
        context = PosthusServer.tls()
        context.set_alpn_protocols(["acme-tls/1"])
        with socket.create_connection(("127.0.0.1", site.server.ports["https"]), timeout=20) as plain:
            try:
                context.wrap_socket(plain, server_hostname=NAME)
                raise AssertionError("acme-tls/1 was accepted")
            except ssl.SSLError:
                pass


def test_rejected_nonces_are_no_obstacle(scene):
    with Site(scene, environment={"PEBBLE_WFE_NONCEREJECT": "30", "PEBBLE_AUTHZREUSE": "100"}) as site:
        for name in (NAME, OTHER, NAME):
            site.order(name)
        site.verified(OTHER, site.ca.roots())


def test_an_account_the_ca_forgot_is_registered_again(scene):
    with Site(scene) as site:
        site.order(NAME)
        site.ca.stop()
        refused = site.order(OTHER, check=False)
        assert refused.returncode == 1 and b"cannot be asked" in refused.stderr, refused
        site.ca.start()
        site.order(OTHER)
        site.verified(OTHER, site.ca.roots())


def test_a_rate_limit_is_told_with_its_time_and_the_order_can_be_repeated(scene):
    with Site(scene) as site, LimitingCa(site.authority.issue("ca.test"), retry_after=7200) as limiting:
        site.set("acme.directory", limiting.directory)
        before = site.served(NAME)
        refused = site.order(check=False)
        assert refused.returncode == 1 and b"too many certificates already issued" in refused.stderr, refused
        assert b"tried again at" in refused.stderr and limiting.orders == 1, refused
        item = site.items()[NAME]
        wait = datetime.fromisoformat(item["next_attempt"]) - datetime.fromisoformat(item["last_attempt"])
        assert item["state"] == "failing" and wait >= timedelta(seconds=7200), item
        assert site.served(NAME, "imaps") == before, "mail is served on, with what is there"
        site.set("acme.directory", site.ca.directory)
        wait_for(lambda: site.items()[NAME]["state"] == "valid", "a certificate of the other CA")
        site.verified(NAME, site.ca.roots())


def test_an_external_account_is_bound(scene):
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    with Site(scene, external_keys={"kid-1": key}) as site:
        refused = site.order(check=False)
        assert refused.returncode == 1 and b"acme.eab_key_id" in refused.stderr, refused
        site.set("acme.eab_key_id", "kid-1")
        site.set("acme.eab_key", key)
        wait_for(lambda: site.items()[NAME]["state"] == "valid", "a certificate")
        shown = site.server.cli("setting", "list").stdout.decode()
        assert key not in shown and "********" in shown and key not in site.server.log()


def test_terms_must_be_accepted_and_then_the_order_goes_on(scene):
    with Site(scene, settings={"POSTHUS_ACME_ACCEPT_TERMS": "false"}) as site:
        refused = site.order(check=False)
        assert refused.returncode == 1 and b"acme.accept_terms" in refused.stderr, refused
        site.set("acme.accept_terms", "1")
        wait_for(lambda: site.items()[NAME]["state"] == "valid", "a certificate")


def test_a_name_that_leads_nowhere_is_said_so(scene):
    with Site(scene) as site:
        refused = site.order("nowhere.example.test", check=False)
        assert refused.returncode == 1 and b"nowhere.example.test" in refused.stderr and b"tried again at" in refused.stderr, refused
        for bad in ("*.example.test", "127.0.0.1", "no name"):
            assert site.order(bad, check=False).returncode == 1, bad
        assert list(site.items()) == ["nowhere.example.test"]


def test_names_of_the_settings_are_ordered_by_themselves(scene):
    with Site(scene, settings={"POSTHUS_ACME_HOSTNAMES": "%s,%s" % (NAME, OTHER)}) as site:
        wait_for(lambda: [item["state"] for item in site.items().values()] == ["valid", "valid"], "two certificates")
        site.verified(NAME, site.ca.roots())
        site.verified(OTHER, site.ca.roots())


def upload(server, name, chain, key, check=True):
    return server.cli("certificate", "upload", name, "--chain", chain, "--key", key, check=check)


def served(server, name):
    with socket.create_connection(("127.0.0.1", server.ports["imaps"]), timeout=20) as plain:
        with PosthusServer.tls().wrap_socket(plain, server_hostname=name) as tls:
            return tls.getpeercert(binary_form=True)


def der(pair):
    with open(pair.certificate) as f:
        return ssl.PEM_cert_to_DER_cert(f.read().partition("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n")


def test_own_certificates_are_uploaded(scene):
    server = scene.server
    with Authority() as authority:
        own, wildcard = authority.issue(NAME), authority.issue("*.wild.test")
        upload(server, NAME, own.certificate, own.key)
        upload(server, "*.wild.test", wildcard.certificate, wildcard.key)
        assert served(server, NAME) == der(own)
        assert served(server, "a.wild.test") == der(wildcard)
        assert served(server, "b.a.wild.test") not in (der(own), der(wildcard))
        expired = authority.issue(NAME, days=-1)
        for name, chain, key, words in ((NAME, own.certificate, wildcard.key, b"do not belong together"),
                                        ("other.test", own.certificate, own.key, b"not for other.test but for " + NAME.encode()),
                                        (NAME, expired.certificate, expired.key, b"expired"),
                                        (NAME, own.key, own.key, b"not PEM")):
            refused = upload(server, name, chain, key, check=False)
            assert refused.returncode == 1 and words in refused.stderr, refused
        assert served(server, NAME) == der(own)
        server.cli("certificate", "remove", NAME)
        assert served(server, NAME) != der(own)
        server.cli("certificate", "remove", "*.wild.test")


def test_files_that_change_are_taken(scene):
    with Authority() as authority:
        first, second = authority.issue(NAME), authority.issue(NAME)
        chain, key = os.path.join(scene.directory, "chain.pem"), os.path.join(scene.directory, "key.pem")
        shutil.copy(first.certificate, chain)
        shutil.copy(first.key, key)
        with PosthusServer(scene.server.binary, environment={"POSTHUS_TLS_CERTIFICATE": chain, "POSTHUS_TLS_KEY": key,
                                                             "POSTHUS_DNS_SERVERS": "127.0.0.1@9"}) as server:
            assert served(server, NAME) == der(first)
            shutil.copy(second.certificate, chain)
            shutil.copy(second.key, key)
            wait_for(lambda: served(server, NAME) == der(second), "the new certificate")


def test_files_that_cannot_be_used_keep_no_mail_from_being_read(scene):
    """Half a renewal at the moment of a restart: mail is served, the log says what is wrong, and the rest of the renewal mends it."""
    with Authority() as authority:
        pair, other = authority.issue(NAME), authority.issue(NAME)
        chain, key = os.path.join(scene.directory, "half.pem"), os.path.join(scene.directory, "half-key.pem")
        shutil.copy(pair.certificate, chain)
        with PosthusServer(scene.server.binary, environment={"POSTHUS_TLS_CERTIFICATE": chain, "POSTHUS_TLS_KEY": key,
                                                             "POSTHUS_DNS_SERVERS": "127.0.0.1@9"}) as server:
            assert served(server, NAME) != der(pair) and key in server.log(), server.log()
            shutil.copy(other.key, key)
            wait_for(lambda: "do not belong together" in server.log(), "the other reason in the log")
            shutil.copy(pair.key, key)
            wait_for(lambda: served(server, NAME) == der(pair), "the certificate of the files")
