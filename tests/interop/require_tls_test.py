"""REQUIRETLS and "TLS-Required: No" between two servers through real DNS and HTTPS. RFC 8689."""
import smtplib

import mail
from authority import Authority
from dns_site import DnsSite
from outgoing_scene import PASSWORD, wait_for
from ports import free_ports
from posthus_server import PosthusServer
from tls_policy_test import here_site, refusals, sts, there_site, zone

REQUIRED = ["REQUIRETLS"]


def test_dane_is_proof_enough(scene):
    port = free_ports(1)[0]
    with Authority() as authority, Authority() as stranger:
        pair = stranger.issue("some.other.name", days=-1)
        with DnsSite({"there.test": zone(port, pair.tlsa), "here.test": ""}) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
            with here_site(scene, port, environment) as here, there_site(scene, port, pair, environment) as there:
                there.wait_for_mail(here.send(there.user, options=REQUIRED))


def test_a_signed_exchanger_with_a_certificate_is(scene):
    port = free_ports(1)[0]
    with Authority() as authority:
        with DnsSite({"there.test": zone(port), "here.test": ""}) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
            with here_site(scene, port, environment) as here:
                with there_site(scene, port, authority.issue("mx.there.test"), environment) as there:
                    there.wait_for_mail(here.send(there.user, options=REQUIRED))


def test_a_certificate_for_a_name_from_an_unsigned_answer_is_not(scene):
    port = free_ports(1)[0]
    with Authority() as authority:
        with DnsSite({"there.test": zone(port), "here.test": ""}, insecure=["there.test"]) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
            with here_site(scene, port, environment) as here:
                with there_site(scene, port, authority.issue("mx.there.test"), environment) as there:
                    here.send(there.user, options=REQUIRED)
                    report = here.wait_for_report()[0]
                    assert "Status: 5.7.10" in report.as_string(), report.as_string()
                    there.wait_for_mail(here.send(there.user))
                    assert len(there.inbox()) == 1, "the mail that requires TLS went all the same"


def test_an_enforced_policy_is(scene):
    def check(here, there, _web):
        there.wait_for_mail(here.send(there.user, options=REQUIRED))
    with Authority() as authority:
        sts(scene, "enforce", authority.issue("mx.there.test"), check, authority)


def test_mail_that_asks_for_it_goes_past_a_wrong_certificate(scene):
    port = free_ports(1)[0]
    with Authority() as authority:
        right, wrong = authority.issue("mx.there.test"), authority.issue("mx.there.test")
        with DnsSite({"there.test": zone(port, right.tlsa), "here.test": ""}) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots}
            with here_site(scene, port, environment) as here, there_site(scene, port, wrong, environment) as there:
                here.send(there.user)
                wait_for(lambda: refusals(here), "that DANE holds back what does not ask")
                marker = mail.unique()
                text = "TLS-Required: No\r\nFrom: %s\r\nSubject: %s\r\n\r\nYour certificate is wrong.\r\n" % (here.user, marker)
                client = smtplib.SMTP(here.address, here.server.ports["submission"], local_hostname="client.test")
                client.starttls(context=PosthusServer.tls())
                client.login(here.user, PASSWORD)
                client.sendmail(here.user, [there.user], text)
                client.quit()
                received = there.wait_for_mail(marker)
                assert "ESMTPS" in received["Received"], received["Received"]
                assert len(there.inbox()) == 1
