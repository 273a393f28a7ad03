"""TLS reports from the failure to the report that the other side reads, by mail and over HTTPS. RFC 8460.

The day ends by a restart with a clock (libfaketime) that is set to the next morning.
"""
import datetime
import email
import email.policy
import glob
import gzip
import json
import time

from authority import Authority
from dns_site import DnsSite
from outgoing_scene import PlainHost, Site, wait_for
from ports import free_ports
from web_site import WebSite

HERE, THERE, PLAIN = "127.0.0.2", "127.0.0.3", "127.0.0.4"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.%s\r\nmax_age: 86400\r\n"
DAY = 86_400
LATEST = 4 * 3600 + 60  # seconds after midnight by which every report is on its way


def next_morning(site):
    """Stops the server and starts it in tomorrow's early morning."""
    assert site.server.stop() == 0
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0]
    seconds = DAY - int(time.time()) % DAY + LATEST
    site.server.environment.update({"LD_PRELOAD": library, "FAKETIME": "+%d" % seconds, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                                    "DONT_FAKE_MONOTONIC": "1"})
    site.server.start()


def check_report(report, domain, today):
    """What every report has (RFC 8460 §4); its one policy."""
    assert report["organization-name"] and report["report-id"] and "@" in report["contact-info"], report
    assert report["date-range"]["start-datetime"] == today + "T00:00:00Z" and report["date-range"]["end-datetime"] == today + "T23:59:59Z"
    policy, = report["policies"]
    assert policy["policy"]["policy-domain"] == domain, policy
    assert sum(d["failed-session-count"] for d in policy.get("failure-details", [])) == policy["summary"]["total-failure-session-count"]
    return policy


def deferred(site, domain):
    return any(r["address"].endswith("@" + domain) and r["attempts"] > 0 for m in site.queue() for r in m["recipients"])


def test_failures_of_a_day_are_reported_by_mail_and_over_https(scene):
    port = free_ports(1)[0]
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    with Authority() as authority, PlainHost(PLAIN, port), \
            WebSite(authority.issue("mta-sts.there.test", "mta-sts.plain.test", "collector.test"),
                    {"mta-sts." + name: POLICY % name for name in ("there.test", "plain.test")}) as web:
        pair = authority.issue("other.there.test")
        sts = "_mta-sts TXT \"v=STSv1; id=1;\"\nmta-sts A 127.0.0.1\n"
        zones = {
            "there.test": "@ MX 10 mx\nmx A %s\n%s_smtp._tls TXT \"v=TLSRPTv1; rua=mailto:ben@reports.test\"" % (THERE, sts),
            "plain.test": "@ MX 10 mx\nmx A %s\n%s_smtp._tls TXT \"v=TLSRPTv1; rua=https://collector.test/in\"" % (PLAIN, sts),
            "reports.test": "@ MX 10 mx\nmx A " + THERE, "collector.test": "@ A 127.0.0.1", "here.test": ""}
        with DnsSite(zones, insecure=["there.test", "plain.test", "reports.test"]) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots, "POSTHUS_OUTGOING_HTTPS_PORT": str(web.port)}
            with Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=environment) as here, \
                    Site(scene.server.binary, THERE, "reports.test", user="ben", smtp_port=port,
                         environment={**environment, "POSTHUS_TLS_CERTIFICATE": pair.certificate, "POSTHUS_TLS_KEY": pair.key}) as there:
                there.server.add_domain("there.test")
                here.send("ben@there.test")
                here.send("ben@plain.test")
                for domain in ("there.test", "plain.test"):
                    wait_for(lambda: deferred(here, domain), "an attempt for " + domain)  # noqa: B023
                assert not there.inbox() and not web.posted
                here.server.cli("queue", "remove", "--all")
                next_morning(here)
                message = wait_for(lambda: next((m for m in there.inbox() if "Report Domain:" in m["Subject"]), None), "the report by mail")
                check_mail(message, today)
                path, head, body = wait_for(lambda: web.posted and web.posted[0], "the report over HTTPS")
                assert path == "/in" and head["Content-Type"] == "application/tlsrpt+gzip", head
                policy = check_report(json.loads(gzip.decompress(body)), "plain.test", today)
                assert policy["policy"]["policy-type"] == "sts"
                assert {d["result-type"] for d in policy["failure-details"]} == {"starttls-not-supported"}, policy
                # Once: nothing is left to report.
                here.wait_for_empty_queue()
                assert len(web.posted) == 1 and len(there.inbox()) == 1


def check_mail(message, today):
    assert message.get_content_type() == "multipart/report" and message.get_param("report-type") == "tlsrpt"
    assert message["TLS-Report-Domain"] == "there.test" and message["TLS-Report-Submitter"] == "here.test"
    assert message["Return-Path"] == "<>" and "d=here.test" in message["DKIM-Signature"], message.items()
    human, machine = message.iter_parts()
    assert human.get_content_type() == "text/plain" and machine.get_content_type() == "application/tlsrpt+gzip"
    assert machine.get_filename().startswith("here.test!there.test!") and machine.get_filename().endswith(".json.gz"), machine.get_filename()
    policy = check_report(json.loads(gzip.decompress(machine.get_content())), "there.test", today)
    assert policy["policy"]["policy-type"] == "sts" and "mx: mx.there.test" in policy["policy"]["policy-string"], policy
    assert policy["summary"]["total-failure-session-count"] > 0 and policy["summary"]["total-successful-session-count"] == 0
    for detail in policy["failure-details"]:
        assert detail["result-type"] == "certificate-host-mismatch", detail
        assert detail["receiving-mx-hostname"] == "mx.there.test" and detail["receiving-ip"] == THERE and detail["sending-mta-ip"] == HERE
