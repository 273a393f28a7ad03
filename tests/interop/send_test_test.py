"""posthus send-test: the way to an address, tried from the DNS to QUIT, against real hosts; and recipients of relay domains asked for at
a Postfix. RFC 5321 §4.1.1.3, §6.2; RFC 7672; RFC 8461."""
import contextlib
import json
import smtplib
import threading

import mail
from authority import Authority
from dns_site import DnsSite
from outgoing_scene import PlainHost, Postfix, Site, wait_for
from ports import free_ports
from web_site import WebSite

HERE, THERE = "127.0.0.2", "127.0.0.3"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.there.test\r\nmax_age: 86400\r\n"


def send_test(site, *arguments):
    """(exit code, the dry run as JSON)."""
    done = site.server.cli("send-test", *arguments, "--json", check=False)
    assert done.stdout, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def steps(test, stage):
    return [step for step in test["steps"] if step["stage"] == stage]


def marks(test):
    return {step["stage"]: step["mark"] for step in test["steps"]}


def text(test, stage):
    return "\n".join(line for step in steps(test, stage) for line in [step["meaning"], *step["lines"]])


@contextlib.contextmanager
def two_sites(scene, make_zone, certificate, more=None, insecure=()):
    """here.test, and there.test which shows `certificate(authority)`."""
    port = free_ports(1)[0]
    with Authority() as authority:
        pair = certificate(authority)
        with DnsSite({"there.test": make_zone(port, pair), "here.test": ""}, insecure=insecure) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots, **(more(authority) if more else {})}
            with Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=environment) as here, \
                    Site(scene.server.binary, THERE, "there.test", user="ben", smtp_port=port,
                         environment={**environment, "POSTHUS_TLS_CERTIFICATE": pair.certificate, "POSTHUS_TLS_KEY": pair.key}) as there:
                yield here, there


def dane_zone(port, pair):
    return "@ MX 10 mx\nmx A %s\n_%d._tcp.mx TLSA 3 1 1 %s" % (THERE, port, pair.tlsa)


def test_a_dry_run_shows_the_way_and_sends_nothing(scene):
    with two_sites(scene, dane_zone, lambda authority: authority.issue("mx.there.test")) as (here, there):
        code, test = send_test(here, there.user)
        assert code == 0 and test["verdict"] == "deliverable", test
        assert test["from"] == here.user and test["reply"]["code"] == 250
        assert list(dict.fromkeys(step["stage"] for step in test["steps"])) == \
            ["route", "policy", "connect", "greeting", "EHLO", "STARTTLS", "certificate", "MAIL", "RCPT", "RSET", "QUIT"], marks(test)
        assert set(marks(test).values()) == {"good"}, marks(test)
        assert "there.test MX: 10 mx.there.test [DNSSEC: secure]" in text(test, "route"), text(test, "route")
        assert "DANE" in text(test, "policy") and "3 1 1" in text(test, "policy"), text(test, "policy")
        certificate = text(test, "certificate")
        assert "TLSv1.3" in certificate and "names: mx.there.test" in certificate and "issuer: /CN=Authority of the tests" in certificate
        assert "> RCPT TO:<ben@there.test>" in text(test, "RCPT") and "< 250 2.1.5" in text(test, "RCPT")
        # For people: the same in words.
        shown = here.server.cli("send-test", there.user).stdout.decode()
        assert "A message would be delivered." in shown and "mx.there.test [%s]:" % THERE in shown, shown
        code, test = send_test(here, "nobody@there.test", "--from", "<>")
        assert code == 1 and test["verdict"] == "refused" and test["from"] == "" and test["reply"]["code"] == 550, test
        assert "> MAIL FROM:<>" in text(test, "MAIL")
        assert not there.inbox() and not here.queue() and not here.inbox()


def test_a_dry_run_tells_a_wrong_certificate(scene):
    def zone(port, pair):
        return "@ MX 10 mx\nmx A %s\n_mta-sts TXT \"v=STSv1; id=1;\"\nmta-sts A 127.0.0.1" % THERE
    with contextlib.ExitStack() as stack:
        def web(authority):
            site = stack.enter_context(WebSite(authority.issue("mta-sts.there.test"), {"mta-sts.there.test": POLICY}))
            return {"POSTHUS_OUTGOING_HTTPS_PORT": str(site.port)}
        here, there = stack.enter_context(two_sites(
            scene, zone, lambda authority: authority.issue("other.there.test", days=-1), web, insecure=["there.test"]))
        code, test = send_test(here, there.user)
        assert code == 1 and test["verdict"] == "unavailable" and test["stage"] == "STARTTLS", test
        assert "MTA-STS" in text(test, "policy") and "[DNSSEC: not signed]" in text(test, "route")
        assert marks(test)["certificate"] == "bad", marks(test)
        assert "names: other.there.test" in text(test, "certificate") and "(over)" in text(test, "certificate"), text(test, "certificate")
        assert not steps(test, "MAIL")


def test_a_dry_run_tells_what_is_wrong_with_a_domain_or_its_hosts(scene):
    port = free_ports(1)[0]
    refuse = lambda line: "554 5.7.1 Your address is on a list" if line.startswith("RCPT") else None  # noqa: E731
    zones = {"there.test": "@ MX 10 down\n@ MX 20 busy\ndown A 127.0.0.9\nbusy A " + THERE, "null.test": "@ MX 0 .",
             "bogus.test": "@ MX 1 mx\nmx A " + THERE}
    with DnsSite(zones, bogus=["bogus.test"]) as dns, PlainHost(THERE, port, answer=refuse) as busy, \
            Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as here:
        code, test = send_test(here, "ben@there.test")
        assert code == 1 and test["verdict"] == "refused" and "on a list" in test["reply"]["text"], test
        assert [step["mark"] for step in steps(test, "connect")] == ["bad", "good"]
        assert "Connection refused" in text(test, "connect") and busy.connections == 1 and not busy.messages
        code, test = send_test(here, "ben@null.test")
        assert code == 1 and test["verdict"] == "refused" and "null MX" in test["explanation"], test
        code, test = send_test(here, "ben@bogus.test")
        assert code == 1 and test["verdict"] == "unavailable" and "DNSSEC" in text(test, "route"), test
        code, test = send_test(here, here.user)
        assert code == 0 and "inbox of this server" in text(test, "directory"), test
        here.server.cli("alias", "add", "out@here.test", "ben@there.test")
        code, test = send_test(here, "out@here.test")
        assert code == 1 and "forwarded to ben@there.test" in text(test, "directory") and "on a list" in test["reply"]["text"], test
        code, test = send_test(here, "nobody@here.test")
        assert code == 1 and test["verdict"] == "refused", test
        assert here.server.cli("send-test", "no address", check=False).returncode == 1
        here.server.stop()
        done = here.server.cli("send-test", "ben@there.test", check=False)
        assert done.returncode == 1 and b"no server runs" in done.stderr, done


def rcpt(site, *recipients):
    """Replies to RCPT on the MX listener."""
    with smtplib.SMTP(site.address, site.smtp_port, local_hostname="client.test") as client:
        client.ehlo()
        client.mail("sender@elsewhere.test")
        return [client.rcpt(recipient) for recipient in recipients]


def test_recipients_of_a_relay_domain_are_asked_for_at_its_postfix(scene):
    with Site(scene.server.binary, HERE, "here.test") as here, Postfix(THERE, "postfix.test", relayhost="[%s]:%d" % (HERE, here.smtp_port)) as primary:
        here.server.cli("domain", "add", "postfix.test", "--relay", "--check-recipients")
        assert here.call("GET", "/api/v1/domains/postfix.test")["check_recipients"] is True
        here.route("postfix.test", "smtp://%s:%d" % (THERE, primary.port))
        (known, _), (unknown, words), (postmaster, _) = rcpt(here, "ben@postfix.test", "nobody@postfix.test", "postmaster@postfix.test")
        assert (known, unknown, postmaster) == (250, 550, 250), words
        assert words.startswith(b"5.1.1") and b"nobody@postfix.test" in words, words  # Postfix's own
        primary.stop()
        # What it said is remembered; of whom it has said nothing is taken, since a backup is for that.
        (known, _), (unknown, _), (other, _) = rcpt(here, "ben@postfix.test", "nobody@postfix.test", "carla@postfix.test")
        assert (known, unknown, other) == (250, 550, 250)
        marker = mail.unique()
        with smtplib.SMTP(here.address, here.smtp_port, local_hostname="client.test") as client:
            client.sendmail("sender@elsewhere.test", ["ben@postfix.test"], mail.message(marker))
        wait_for(lambda: len(here.queue()) == 1, "the mail in the queue")
        primary.start()
        primary.wait_for_mail(marker)
        assert primary.count(marker) == 1
        here.call("PATCH", "/api/v1/domains/postfix.test", {"check_recipients": False})
        assert rcpt(here, "nobody@postfix.test")[0][0] == 250
        assert not here.inbox()


def test_a_primary_that_says_nothing_holds_nobody_up(scene):
    with PlainHost(THERE, delay=600) as silent, Site(scene.server.binary, HERE, "here.test") as here:
        here.server.cli("domain", "add", "silent.test", "--relay", "--check-recipients")
        here.route("silent.test", "smtp://%s:%d" % (THERE, silent.port))
        answers = []
        asking = [threading.Thread(target=lambda i=i: answers.extend(rcpt(here, "u%d@silent.test" % i))) for i in range(8)]
        for thread in asking:
            thread.start()
        wait_for(lambda: silent.connections > 0, "a question to the primary")
        assert rcpt(here, here.user)[0][0] == 250
        assert silent.connections <= 5, silent.connections
        for thread in asking:
            thread.join()
        # Those that were asked for in vain are taken; the others come again, and are taken then.
        assert sorted(code for code, _ in answers) == [250] * 5 + [451] * 3, answers
        assert rcpt(here, "another@silent.test")[0][0] == 250 and silent.connections <= 5
