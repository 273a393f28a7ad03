"""Two Posthus servers and a Postfix, each with an address and domains of its own, find each other through the DNS: mail waits at its
sender or at the backup MX while the primary is down, and arrives once. RFC 5321 §4.5.4.1, §5.1; RFC 7672."""
import contextlib

from authority import Authority
from dns_site import DnsSite
from outgoing_scene import Postfix, Site, wait_for
from ports import free_ports

HERE, BACKUP, THERE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
BURST = 8  # messages for a server that is down


class Three:
    """here.test and backup.test are Posthus's, there.test and lonely.test Postfix's. backup.test is the second exchanger of here.test
    and there.test; lonely.test has none."""

    def __init__(self, scene, stack, tlsa="right"):
        port = free_ports(1)[0]
        authority = stack.enter_context(Authority())
        pair = authority.issue("mx.there.test")
        shown = pair.tlsa if tlsa == "right" else authority.issue("mx.there.test").tlsa
        zones = {
            "here.test": "@ MX 10 mx\n@ MX 20 mx.backup.test.\nmx A " + HERE,
            "backup.test": "@ MX 10 mx\nmx A " + BACKUP,
            "there.test": "@ MX 10 mx\n@ MX 20 mx.backup.test.\nmx A %s\n_%d._tcp.mx TLSA 3 1 1 %s" % (THERE, port, shown),
            "lonely.test": "@ MX 10 mx.there.test.",
            "dead.test": "@ MX 10 mx\nmx A 127.0.0.9"}
        self.dns = stack.enter_context(DnsSite(zones, resolver=True))
        environment = {**self.dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
        self.here = stack.enter_context(Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=environment))
        self.backup = stack.enter_context(Site(scene.server.binary, BACKUP, "backup.test", smtp_port=port, environment=environment))
        self.there = stack.enter_context(Postfix(THERE, "there.test", "lonely.test", port=port, resolver=self.dns.resolver_address,
                                                 pair=pair))
        for domain in ("here.test", "there.test"):
            self.backup.server.cli("domain", "add", domain, "--relay")


def test_three_servers_exchange_mail_through_the_dns(scene):
    with contextlib.ExitStack() as stack:
        three = Three(scene, stack)
        here, backup, there = three.here, three.backup, three.there
        backup.wait_for_mail(here.send(backup.user))
        here.wait_for_mail(backup.send(here.user))
        there.wait_for_mail(here.send("ben@there.test"))
        there.wait_for_mail(backup.send("ben@there.test"))
        here.wait_for_mail(there.send(here.user))
        backup.wait_for_mail(there.send(backup.user))
        for site in (here, backup):
            site.wait_for_empty_queue()
            assert len(site.inbox()) == 2
            assert all("with ESMTPS" in m.get_all("Received")[0] for m in site.inbox())
        assert there.mailbox().count("using TLSv1") == 2, there.mailbox()


def test_a_backup_holds_mail_until_the_primary_returns(scene):
    with contextlib.ExitStack() as stack:
        three = Three(scene, stack)
        here, backup, there = three.here, three.backup, three.there
        there.stop()
        by_backup = [here.send("ben@there.test") for _ in range(BURST)]
        waiting = [here.send("ben@lonely.test") for _ in range(BURST)]
        wait_for(lambda: len(backup.queue()) == BURST, "the mail at the backup")
        for site in (here, backup):
            wait_for(lambda: any(r["attempts"] > 1 for m in site.queue() for r in m["recipients"]), "a second attempt at " + site.domain)  # noqa: B023
        assert len(here.queue()) == BURST and not there.mailbox()
        backup.server.kill()  # what it took over is not lost with it
        backup.server.start()
        there.start()
        for marker in by_backup + waiting:
            there.wait_for_mail(marker)
        here.wait_for_empty_queue()
        backup.wait_for_empty_queue()
        assert [there.count(marker) for marker in by_backup + waiting] == [1] * (2 * BURST)
        # Nobody was told of a failure, neither here nor through the backup.
        assert not here.inbox() and not backup.inbox()


def test_a_backup_takes_mail_of_a_stranger_for_us(scene):
    with contextlib.ExitStack() as stack:
        three = Three(scene, stack)
        three.here.server.stop()
        markers = [three.there.send(three.here.user) for _ in range(BURST)]
        wait_for(lambda: len(three.backup.queue()) == BURST, "the mail at the backup: " + three.there.log())
        # What nobody has is refused by the primary, and only then goes back: the backup did not know.
        stray = three.there.send("nobody@here.test")
        wait_for(lambda: len(three.backup.queue()) == BURST + 1, "one more")
        three.here.server.start()
        for marker in markers:
            message = three.here.wait_for_mail(marker)
            assert "mx.backup.test" in message.get_all("Received")[0], message.get_all("Received")
        three.backup.wait_for_empty_queue()
        assert sorted(m["Subject"] for m in three.here.inbox()) == sorted(markers)
        wait_for(lambda: stray in three.there.mailbox() and "nobody@here.test" in three.there.mailbox(), "the report")


def test_a_domain_whose_server_is_gone_comes_back_readable(scene):
    with contextlib.ExitStack() as stack:
        here = Three(scene, stack).here
        here.set("queue.expire_seconds", "4")
        marker = here.send("ben@dead.test")
        report = here.wait_for_report()[0]
        text = next(report.iter_parts()).get_content()
        assert report["Return-Path"] == "<>" and report["To"] and here.user in report["To"]
        assert "ben@dead.test" in text and "127.0.0.9: Connection refused" in text and marker in report.as_string(), text
        here.wait_for_empty_queue()


def test_dane_keeps_mail_from_a_postfix_with_another_key(scene):
    with contextlib.ExitStack() as stack:
        three = Three(scene, stack, tlsa="wrong")
        three.here.send("ben@lonely.test")
        wait_for(lambda: any(r["attempts"] > 1 for m in three.here.queue() for r in m["recipients"]), "a second attempt")
        refusals = [line for line in three.here.server.log().splitlines() if " queue.deferred " in line]
        assert any("certificate" in line or "TLSA" in line for line in refusals), refusals
        assert not three.there.mailbox()
