"""Exim as a peer in both directions: DNS, TLS, CHUNKING, refusals and reports, waiting. RFC 5321, 3030, 3461."""
import contextlib
import email
import email.policy

from authority import Authority
from dns_site import DnsSite
from exim_peer import Exim, unpack
from outgoing_scene import Site, wait_for
from ports import free_ports

HERE, THERE = "127.0.0.2", "127.0.0.4"
LARGE = "".join("%07d %s\r\n" % (i, "." * (i % 60)) for i in range(40_000)) + ".\r\n..\r\n"  # 1.5 MiB, with lines of dots


def prepare():
    """Fetches what the tests run against; see run.py."""
    unpack()


def pair(scene, stack):
    """A Posthus for here.test and an Exim for exim.test that find each other through the DNS."""
    port = free_ports(1)[0]
    authority = stack.enter_context(Authority())
    dns = stack.enter_context(DnsSite({"here.test": "@ MX 10 mx\nmx A " + HERE, "exim.test": "@ MX 10 mx\nmx A " + THERE}, resolver=True))
    here = stack.enter_context(Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()))
    exim = stack.enter_context(Exim(THERE, "exim.test", port, dns.resolver_address, authority.issue("mx.exim.test")))
    return here, exim


def test_exim_takes_and_gives_mail(scene):
    with contextlib.ExitStack() as stack:
        here, exim = pair(scene, stack)
        taken = exim.wait_for_mail(here.send("ben@exim.test", body="One.\r\n.\r\n..Two.\r\n"))
        assert "One.\n.\n..Two.\n" in taken, taken
        assert "with esmtps" in exim.mailbox().lower(), exim.mailbox()
        message = here.wait_for_mail(exim.send(here.user))
        assert "with ESMTPS" in message.get_all("Received")[0], message.get_all("Received")
        here.wait_for_empty_queue()


def test_exim_and_large_mail(scene):
    with contextlib.ExitStack() as stack:
        here, exim = pair(scene, stack)
        marker = here.send("ben@exim.test", body=LARGE)
        exim.wait_for_mail(marker)
        here.wait_for_empty_queue()
        # Exim takes it before it has written it.
        wait_for(lambda: exim.mailbox().count(LARGE.replace("\r\n", "\n")) == 1, "the whole message, once")
        message = here.wait_for_mail(exim.send(here.user, body=LARGE))
        assert message.get_payload().replace("\r\n", "\n") == LARGE.replace("\r\n", "\n")


def test_exim_refuses_and_is_refused(scene):
    with contextlib.ExitStack() as stack:
        here, exim = pair(scene, stack)
        here.send("nobody@exim.test")
        report = here.wait_for_report()[0]
        assert "Unknown user" in next(report.iter_parts()).get_content()
        marker = exim.send("nobody@here.test")
        wait_for(lambda: marker in exim.mailbox(), "Exim's report: " + exim.log())
        _, _, text = exim.mailbox().partition("\n")
        parts = list(email.message_from_string(text, policy=email.policy.default).walk())
        status = next(part for part in parts if part.get_content_type() == "message/delivery-status")
        assert "550 5.1.1" in status.as_string(), status.as_string()


def test_exim_relays_what_success_is_reported_of(scene):
    with contextlib.ExitStack() as stack:
        here, exim = pair(scene, stack)
        here.send("ben@exim.test", rcpt_options=["NOTIFY=SUCCESS", "ORCPT=rfc822;ben@exim.test"])
        # Exim offers DSN, so the report is its own.
        report = here.wait_for_report()[0]
        assert "mx.exim.test" in str(report["From"]) + report.as_string(), report.as_string()


def test_exim_waits_for_us_as_we_for_it(scene):
    with contextlib.ExitStack() as stack:
        here, exim = pair(scene, stack)
        here.server.stop()
        markers = [exim.send(here.user) for _ in range(5)]
        wait_for(lambda: exim.log().count("Connection refused") > 0, "an attempt in vain: " + exim.log())
        here.server.start()
        for marker in markers:
            here.wait_for_mail(marker)
        assert sorted(m["Subject"] for m in here.inbox()) == sorted(markers)
