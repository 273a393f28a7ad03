"""Ways that mail takes: a smarthost for one domain of senders with TLS and login, a family of addresses that leads nowhere, address
literals, aliases in the DNS, international names, a host that says it has enough of us."""
import contextlib
import smtplib
import socket
import time

from authority import Authority
from dns_site import DnsSite
from outgoing_scene import PASSWORD, PlainHost, Site, wait_for
from ports import free_ports
from posthus_server import PosthusServer

HERE, THERE = "127.0.0.2", "127.0.0.3"


def test_a_smarthost_of_one_domain_of_senders_gets_its_mail_with_tls_and_login(scene):
    with Authority() as authority, Authority() as stranger, DnsSite({"there.test": "mx A " + THERE}) as dns, \
            PlainHost("127.0.0.4") as direct:
        environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
        right, wrong = authority.issue("mx.there.test"), stranger.issue("mx.there.test")
        with Site(scene.server.binary, HERE, "here.test", environment=environment) as here:
            here.server.add_domain("second.test")
            here.server.cli("alias", "add", "anna@second.test", here.user)
            here.route("*", "smtp://127.0.0.4:%d" % direct.port)

            def smarthost(pair):
                """Takes mail of here.test's users, who have accounts there as well."""
                site = Site(scene.server.binary, THERE, "here.test", environment={
                    "POSTHUS_HOSTNAME": "mx.there.test", "POSTHUS_TLS_CERTIFICATE": pair.certificate, "POSTHUS_TLS_KEY": pair.key})
                site.server.add_domain("out.test")
                site.server.add_user("cara@out.test", PASSWORD)
                return site

            for pair in (wrong, right):
                with smarthost(pair) as there:
                    url = ("smtp://mx.there.test:%d?tls=required" if pair is wrong else "smtps://mx.there.test:%d")
                    port = there.server.ports["submission" if pair is wrong else "submissions"]
                    here.server.cli("route", "set", "from:here.test", url % port, "--login", here.user, "--password-stdin",
                                    stdin=PASSWORD + "\n")
                    if pair is wrong:
                        marker = here.send("cara@out.test")
                        reply = wait_for(lambda: next((str(r["last_reply"]) for m in here.queue() for r in m["recipients"] if r["attempts"]), None),
                                         "an attempt")
                        assert "TLS" in reply or "certificate" in reply, reply
                        assert not there.inbox("cara@out.test")
                    else:
                        wait_for(lambda: any(m["Subject"] == marker for m in there.inbox("cara@out.test")), "the mail", here.queue)
                        received = next(m for m in there.inbox("cara@out.test") if m["Subject"] == marker)
                        assert "with ESMTPSA" in received.get_all("Received")[0], received.get_all("Received")[0]
            direct.wait_for_mail(here.send("dan@out.test", sender="anna@second.test"))  # others go as ever
            assert PASSWORD not in here.server.cli("route", "list").stdout.decode() + here.server.log()


@contextlib.contextmanager
def unresponsive(address, port):
    """A port that neither accepts nor refuses: its queue of connections is full."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as s, contextlib.ExitStack() as stack:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        s.listen(0)
        for _ in range(8):
            one = stack.enter_context(socket.socket(family))
            one.setblocking(False)
            one.connect_ex((address, port))
        yield


def test_a_family_of_addresses_that_leads_nowhere_is_not_waited_for(scene):
    port = free_ports(1)[0]
    with DnsSite({"there.test": "@ MX 10 mx\nmx A %s\nmx AAAA ::1" % THERE}) as dns, PlainHost(THERE, port) as there, \
            unresponsive("::1", port), Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as here:
        here.set("queue.connect_seconds", "600")  # the kernel gives up after two minutes
        marker = here.send("ben@there.test")
        end = time.monotonic() + 60
        while not any(marker.encode() in m for m in there.messages):
            assert time.monotonic() < end, here.queue()
            time.sleep(0.05)  # polling, bounded


def test_literals_aliases_and_international_names_find_their_hosts(scene):
    port = free_ports(1)[0]
    zones = {"there.test": "@ MX 10 mx\nmx A %s\nalso CNAME @" % THERE, "xn--bcher-kva.test": "@ MX 10 mx.there.test."}
    with DnsSite(zones) as dns, PlainHost(THERE, port) as there, \
            Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as here:
        for recipient in ("ben@[%s]" % THERE, "ben@also.there.test", "ben@xn--bcher-kva.test"):
            there.wait_for_mail(here.send(recipient), here.queue)
        with smtplib.SMTP(HERE, here.server.ports["submission"], local_hostname="client.test") as client:
            client.starttls(context=PosthusServer.tls())
            client.login(here.user, PASSWORD)
            client.ehlo()
            client.mail(here.user, ["SMTPUTF8"])
            code, words = client.docmd("RCPT TO:<ben@b\u00fccher.test>")  # in UTF-8 since SMTPUTF8 was said
            assert code == 250, words
            client.data(b"Subject: umlaut\r\n\r\nHello.\r\n")
        there.wait_for_mail("umlaut", here.queue)  # the name of a domain alone needs no SMTPUTF8 of the host


def test_a_host_that_has_enough_of_us_gets_less_and_everything_in_the_end(scene):
    patience = {"left": 3}

    def busy(line):
        if line.startswith("MAIL") and patience["left"] > 0:
            patience["left"] -= 1
            return "421 4.7.0 Too many messages, come back later"
        return None

    with PlainHost(THERE, answer=busy) as there, Site(scene.server.binary, HERE, "here.test") as here:
        for i in range(8):
            here.route("d%d.test" % i, "smtp://%s:%d" % (THERE, there.port))
        markers = [here.send("ben@d%d.test" % i) for i in range(8)]
        for marker in markers:
            there.wait_for_mail(marker, here.queue)
        here.wait_for_empty_queue()
        assert len(there.messages) == 8 and not here.inbox()


def becomes_ours(scene, environment=None):
    with Site(scene.server.binary, HERE, "here.test", environment=environment) as here:
        here.route("moved.test", "smtp://%s:%d" % (THERE, free_ports(1)[0]))
        marker = here.send("ben@moved.test")
        wait_for(lambda: any(r["attempts"] for m in here.queue() for r in m["recipients"]), "an attempt")
        here.server.cli("queue", "hold", "--domain", "moved.test")  # until there is a user, or our own listener refuses it
        here.server.add_domain("moved.test")
        here.server.add_user("ben@moved.test", PASSWORD)
        here.server.cli("queue", "release", "--domain", "moved.test")
        wait_for(lambda: any(m["Subject"] == marker for m in here.inbox("ben@moved.test")), "the mail", here.queue)
        here.wait_for_empty_queue()
        assert not here.inbox()


def test_mail_of_a_domain_that_becomes_ours_while_it_waits_is_delivered_here(scene):
    becomes_ours(scene)


def test_so_it_is_where_the_listener_takes_this_machine_for_a_proxy(scene):
    becomes_ours(scene, {"POSTHUS_PROXY_ADDRESSES": "127.0.0.1," + HERE, "POSTHUS_PROXY_LISTENERS": "smtp"})
