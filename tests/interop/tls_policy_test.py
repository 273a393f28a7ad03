"""DANE and MTA-STS between two servers through real DNS and HTTPS: the right certificate gets the mail, a wrong one does not.
RFC 7672, RFC 8461."""
from authority import Authority
from dns_site import DnsSite
from outgoing_scene import Site, wait_for
from ports import free_ports
from web_site import WebSite

HERE, THERE = "127.0.0.2", "127.0.0.3"
POLICY = "version: STSv1\r\nmode: %s\r\nmx: mx.there.test\r\nmax_age: 86400\r\n"


def here_site(scene, port, environment):
    return Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=environment)


def there_site(scene, port, pair, environment):
    return Site(scene.server.binary, THERE, "there.test", user="ben", smtp_port=port,
                environment={**environment, "POSTHUS_TLS_CERTIFICATE": pair.certificate, "POSTHUS_TLS_KEY": pair.key})


def refusals(site):
    """The lines of the log that say that mail was put off."""
    return [line for line in site.server.log().splitlines() if " queue.deferred " in line]


def wait_for_refusal(site, *words):
    """Two attempts, and what is said of the last holds one of the words."""
    lines = wait_for(lambda: refusals(site) if len(refusals(site)) >= 2 else None, "a second attempt")
    assert any(word in lines[-1] for word in words), lines[-1]


def zone(port, tlsa=None, more=""):
    record = "_%d._tcp.mx TLSA 3 1 1 %s\n" % (port, tlsa) if tlsa else ""
    return "@ MX 10 mx\nmx A %s\n%s%s" % (THERE, record, more)


def test_dane_takes_the_right_certificate_and_refuses_another(scene):
    port = free_ports(1)[0]
    with Authority() as authority:
        right, wrong = authority.issue("mx.there.test"), authority.issue("mx.there.test")
        with DnsSite({"there.test": zone(port, right.tlsa), "here.test": ""}) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
            with here_site(scene, port, environment) as here:
                with there_site(scene, port, wrong, environment) as impostor:
                    marker = here.send(impostor.user)
                    wait_for_refusal(here, "TLS", "certificate", "TLSA")
                    assert not impostor.inbox(), "the mail went to a server with another key"
                with there_site(scene, port, right, environment) as there:
                    there.wait_for_mail(marker, here.queue)


def test_dane_does_not_ask_for_a_name_or_an_authority(scene):
    port = free_ports(1)[0]
    with Authority() as authority, Authority() as stranger:
        pair = stranger.issue("some.other.name", days=-1)
        with DnsSite({"there.test": zone(port, pair.tlsa), "here.test": ""}) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
            with here_site(scene, port, environment) as here, there_site(scene, port, pair, environment) as there:
                there.wait_for_mail(here.send(there.user))


def test_forged_tlsa_records_hold_the_mail_back(scene):
    port = free_ports(1)[0]
    with Authority() as authority:
        pair = authority.issue("mx.there.test")
        with DnsSite({"there.test": "@ MX 10 mx.host.test.\n", "host.test": "mx A %s" % THERE, "here.test": ""}, bogus=["host.test"]) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
            with here_site(scene, port, environment) as here, there_site(scene, port, pair, environment) as there:
                here.send(there.user)
                wait_for_refusal(here, "addresses", "DNS", "host")
                assert not there.inbox()


def sts(scene, mode, pair, check, authority):
    """Runs `check(here, there, web)` with an MTA-STS policy of this mode for there.test, which shows `pair`."""
    port = free_ports(1)[0]
    with WebSite(authority.issue("mta-sts.there.test"), {"mta-sts.there.test": POLICY % mode}) as web:
        more = "_mta-sts TXT \"v=STSv1; id=1;\"\nmta-sts A 127.0.0.1\n"
        with DnsSite({"there.test": zone(port, more=more), "here.test": ""}, insecure=["there.test"]) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots,
                           "POSTHUS_OUTGOING_HTTPS_PORT": str(web.port)}
            with here_site(scene, port, environment) as here, there_site(scene, port, pair, environment) as there:
                check(here, there, web)


def test_mta_sts_takes_a_certificate_that_holds(scene):
    def check(here, there, web):
        there.wait_for_mail(here.send(there.user))
        there.wait_for_mail(here.send(there.user))
        assert web.fetched == ["mta-sts.there.test"], web.fetched
    with Authority() as authority:
        sts(scene, "enforce", authority.issue("mx.there.test"), check, authority)


def test_mta_sts_refuses_a_certificate_that_does_not(scene):
    def check(here, there, web):
        marker = here.send(there.user)
        wait_for_refusal(here, "TLS", "certificate", "mismatch", "issuer")
        # What else is there is an alert: its certificate has ended.
        subjects = [message["Subject"] for message in there.inbox()]
        assert marker not in subjects and web.fetched, subjects
    with Authority() as authority, Authority() as stranger:
        for pair in (authority.issue("other.there.test"), authority.issue("mx.there.test", days=-1), stranger.issue("mx.there.test")):
            sts(scene, "enforce", pair, check, authority)


def test_mta_sts_in_testing_delivers_all_the_same(scene):
    def check(here, there, web):
        there.wait_for_mail(here.send(there.user))
        assert web.fetched
    with Authority() as authority, Authority() as stranger:
        sts(scene, "testing", stranger.issue("other.test"), check, authority)
