"""The DNS of a domain, asked of and written into a real name server (Knot), and what mail programs are told over HTTPS: RFC 2136, 8461."""
import base64
import contextlib
import http.client
import http.server
import json
import smtplib
import socket
import ssl
import subprocess
import threading
import urllib.parse
import xml.etree.ElementTree

import mail
from authority import Authority
from dns_site import DnsSite, ask
from outgoing_scene import Site

HERE = "127.0.0.2"
KEY = base64.b64encode(b"thirty-two bytes that are secret").decode()
OTHER = base64.b64encode(b"thirty-two bytes that are others").decode()
A, MX, TXT = 1, 15, 16
REVERSE = {"127.in-addr.arpa": "2.0.0 PTR mx.here.test."}


@contextlib.contextmanager
def site_with(scene, zone, **options):
    """A server of here.test whose certificate holds for its names, and its name server."""
    with Authority() as authority, DnsSite({"here.test": zone, **REVERSE}, update_key=KEY, **options) as dns:
        pair = authority.issue("mx.here.test", "mta-sts.here.test", "autoconfig.here.test")
        site = Site(scene.server.binary, HERE, "here.test", environment={
            **dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots, "POSTHUS_TLS_CERTIFICATE": pair.certificate,
            "POSTHUS_TLS_KEY": pair.key})
        site.server.environment["POSTHUS_OUTGOING_HTTPS_PORT"] = str(site.server.ports["https"])
        with site:
            site.set("public.addresses", HERE)
            yield site, dns, authority


def states(site):
    """{(name, type): state} and whether the command calls it red."""
    done = site.server.cli("dns", "here.test", "--check", "--json", check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode == 1) == (answer["light"] == "red"), done
    return {(i["name"], i["type"]): i["state"] for i in answer["items"]}, answer


def test_a_zone_file_that_is_pasted_passes_the_check(scene):
    with site_with(scene, "") as (site, dns, _authority):
        before, answer = states(site)
        assert answer["light"] == "red" and before["here.test", "MX"] == "missing", answer
        assert before["2.0.0.127.in-addr.arpa", "PTR"] == "wrong", answer  # the name does not lead back yet
        zone = site.server.cli("dns", "here.test", "--zone").stdout.decode()
        assert max(len(part) for part in zone.split('"')[1::2]) <= 255, zone
        dns.set_zone("here.test", zone)
        after, answer = states(site)
        assert set(after.values()) == {"ok"}, [i for i in answer["items"] if i["state"] != "ok"]
        assert answer["light"] == "green", answer


def test_wrong_records_are_named(scene):
    zone = "@ MX 10 mx\nmx A 127.0.0.3\n@ TXT \"v=spf1 ip4:127.0.0.3 -all\"\n_dmarc TXT \"v=DMARC1; p=none\""
    with site_with(scene, zone) as (site, _dns, _authority):
        found, answer = states(site)
        assert found["here.test", "MX"] == "ok", answer
        assert found["mx.here.test", "A"] == "wrong", answer
        assert found["here.test", "TXT"] == "wrong", answer
        assert found["_dmarc.here.test", "TXT"] == "ok", answer
        spf = next(i for i in answer["items"] if i["purpose"] == "spf")
        assert spf["paste"] == 'here.test. 3600 IN TXT "v=spf1 mx ip4:127.0.0.3 -all"\n', spf
        shown = site.server.cli("dns", "here.test", "--check", check=False).stdout.decode()
        assert "To be pasted:" in shown and "127.0.0.2" in shown, shown


def test_what_the_dns_does_not_say_is_unknown(scene):
    with site_with(scene, "", broken=["here.test"]) as (site, _dns, _authority):
        found, answer = states(site)
        assert found["here.test", "MX"] == "unknown" and answer["light"] == "yellow", answer
        assert "missing" not in found.values(), answer


def test_a_dns_that_never_answers_is_told_and_mail_is_served_on(scene):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        environment = {"POSTHUS_DNS_SERVERS": "127.0.0.1@%d" % silent.getsockname()[1]}
        with Site(scene.server.binary, HERE, "here.test", environment=environment) as site:
            site.set("public.addresses", HERE)
            found = []
            asking = threading.Thread(target=lambda: found.extend(states(site)))
            asking.start()
            marker = mail.unique()
            with smtplib.SMTP(HERE, site.smtp_port, "client.test", timeout=30) as client:
                client.sendmail("ben@elsewhere.test", [site.user], mail.message(marker, to=site.user))
            site.wait_for_mail(marker)
            asking.join()
            by_name, answer = found
            assert set(by_name.values()) == {"unknown"} and answer["light"] == "yellow", answer
            assert all("DNS" in item["meaning"] and not item["paste"] for item in answer["items"]), answer


def test_missing_and_wrong_records_are_written(scene):
    zone = "@ TXT \"site-verification=7\"\n@ TXT \"v=spf1 ip4:127.0.0.3 -all\"\nautoconfig A 127.0.0.9"
    with site_with(scene, zone) as (site, dns, _authority):
        refused = site.server.cli("dns", "here.test", "--publish", check=False)
        assert refused.returncode == 1 and b"dns.update_server" in refused.stderr, refused
        site.set("dns.update_server", dns.server)
        site.set("dns.update_key@here.test", "update:" + OTHER)
        refused = site.server.cli("dns", "here.test", "--publish", check=False)
        assert refused.returncode == 1 and b"secret is another one" in refused.stderr, refused
        assert ask(dns.port, "here.test", MX)[1] == 0
        site.set("dns.update_key@here.test", "hmac-sha256:update:" + KEY)
        written = site.server.cli("dns", "here.test", "--publish").stdout.decode()
        assert "Written:" in written and KEY not in written, written
        assert ask(dns.port, "here.test", MX)[1] >= 1 and ask(dns.port, "autoconfig.here.test", A)[1] >= 1
        texts = subprocess.run(["kdig", "@127.0.0.1", "-p", str(dns.port), "here.test", "TXT", "+short"], capture_output=True,
                               text=True, timeout=20).stdout.splitlines()
        assert sorted(texts) == ['"site-verification=7"', '"v=spf1 mx ip4:127.0.0.3 -all"'], texts
        found, answer = states(site)
        left = {key for key, state in found.items() if state != "ok"}
        assert left <= {("_25._tcp.mx.here.test", "TLSA"), ("mx.here.test", "CAA")}, [i for i in answer["items"] if i["state"] != "ok"]
        again = site.server.cli("dns", "here.test", "--publish").stdout.decode()
        assert "nothing to write" in again, again
        assert KEY not in site.server.cli("setting", "list").stdout.decode()
        assert KEY not in site.server.log()


class PlugIn:
    """One for a provider whose interface is a zone file: writes what it is told into the name server of the test."""

    def __init__(self, dns, zone, records):
        self.dns, self.zone, self.records, self.told = dns, zone, dict(records), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                is_known = self.path == "/secret"
                if is_known:
                    outer.told.append(body)
                    outer.write(body["changes"])
                self.send_response(204 if is_known else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/" % self.server.server_address[1]

    def write(self, changes):
        for change in changes:
            key = (change["name"], change["type"])
            if change["action"] == "replace_name":
                self.records = {one: values for one, values in self.records.items() if one[0] != change["name"]}
            before = self.records.get(key, []) if change["action"] == "add" else []
            self.records[key] = before + change["values"]
        lines = []
        for (name, kind), values in self.records.items():
            for value in values:
                text = " ".join('"%s"' % value[i:i + 250] for i in range(0, len(value), 250)) if kind == "TXT" else value
                lines.append("%s. %s %s" % (name, kind, text))
        self.dns.set_zone(self.zone, "\n".join(lines))

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_a_plug_in_of_a_provider_writes_what_is_missing_and_wrong(scene):
    there = {("here.test", "TXT"): ["site-verification=7", "v=spf1 ip4:127.0.0.3 -all"], ("autoconfig.here.test", "A"): ["127.0.0.9"]}
    zone = "@ TXT \"site-verification=7\"\n@ TXT \"v=spf1 ip4:127.0.0.3 -all\"\nautoconfig A 127.0.0.9"
    with site_with(scene, zone) as (site, dns, _authority), PlugIn(dns, "here.test", there) as plug_in:
        site.set("dns.update_url", plug_in.url + "other")
        refused = site.server.cli("dns", "here.test", "--publish", check=False)
        assert refused.returncode == 1 and b"status 403" in refused.stderr and not plug_in.told, refused
        site.set("dns.update_url@here.test", plug_in.url + "secret")
        written = site.server.cli("dns", "here.test", "--publish").stdout.decode()
        assert "Written:" in written, written
        assert sorted(plug_in.records["here.test", "TXT"]) == ["site-verification=7", "v=spf1 mx ip4:127.0.0.3 -all"], plug_in.records
        found, answer = states(site)
        left = {key for key, state in found.items() if state != "ok"}
        assert left <= {("_25._tcp.mx.here.test", "TLSA"), ("mx.here.test", "CAA")}, [i for i in answer["items"] if i["state"] != "ok"]
        assert "nothing to write" in site.server.cli("dns", "here.test", "--publish").stdout.decode()
        assert len(plug_in.told) == 1 and "/secret" not in site.server.log(), site.server.log()[-2000:]


def get(site, host, path, body=None):
    """(status, headers, body) over TLS at our own address, whatever the host is called."""
    connection = http.client.HTTPSConnection(HERE, site.server.ports["https"], context=ssl._create_unverified_context(), timeout=20)
    headers = {"Host": host, "Content-Type": "text/xml"} if body else {"Host": host}
    connection.request("POST" if body else "GET", path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_mail_programs_are_told_their_settings(scene):
    with site_with(scene, "") as (site, _dns, authority):
        status, _, text = get(site, "autoconfig.here.test", "/mail/config-v1.1.xml")
        root = xml.etree.ElementTree.fromstring(text)
        servers = [(s.get("type"), s.findtext("hostname"), s.findtext("port")) for s in root.iter() if s.tag.endswith("Server")]
        assert status == 200 and ("imap", "mx.here.test", "993") in servers and ("smtp", "mx.here.test", "465") in servers, servers
        request = ("<Autodiscover xmlns='x'><Request><EMailAddress>anna@here.test</EMailAddress></Request></Autodiscover>")
        status, _, text = get(site, "autodiscover.here.test", "/autodiscover/autodiscover.xml", request)
        assert status == 200 and {e.text for e in xml.etree.ElementTree.fromstring(text).iter() if e.tag.endswith("}Type")} == \
            {"IMAP", "POP3", "SMTP"}, text
        status, headers, page = get(site, "mx.here.test", "/setup?address=" + urllib.parse.quote("anna@here.test"))
        assert status == 200 and b"<svg" in page and "style-src 'sha256-" in headers["Content-Security-Policy"], (headers, page)
        status, _, profile = get(site, "mx.here.test", "/setup/account.mobileconfig?address=anna@here.test")
        verified = subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-CAfile", authority.roots, "-purpose", "any"],
                                  input=profile, capture_output=True, timeout=20)
        assert status == 200 and verified.returncode == 0 and b"IncomingMailServerHostName" in verified.stdout, verified


def test_the_policy_is_served_and_its_id_follows_it(scene):
    with site_with(scene, "") as (site, _dns, _authority):
        def identifier():
            records = site.server.cli_json("dns", "here.test")["items"]
            return next(r["value"] for r in records if r["purpose"] == "mta_sts")
        status, headers, text = get(site, "mta-sts.here.test", "/.well-known/mta-sts.txt")
        assert status == 200 and headers["Content-Type"].startswith("text/plain") and b"mode: testing\r\n" in text, text
        before = identifier()
        site.server.cli("setting", "set", "mta_sts.mode@here.test", "enforce")
        assert b"mode: enforce\r\n" in get(site, "mta-sts.here.test", "/.well-known/mta-sts.txt")[2]
        assert identifier() != before
        assert get(site, "mta-sts.elsewhere.test", "/.well-known/mta-sts.txt")[0] == 404


def test_what_others_see_of_the_server(scene):
    lists = {"list.test": "2.0.0.127 A 127.0.0.2\n5.0.0.127 A 127.0.0.4\n5.0.0.127 TXT \"sends spam\"", "clean.test": "2.0.0.127 A 127.0.0.2"}
    with Authority() as authority, DnsSite({"here.test": "mx A 127.0.0.5\nprobe A 127.0.0.2", "127.in-addr.arpa": "5.0.0 PTR mx.here.test.", **lists}) as dns:
        pair = authority.issue("mx.here.test", days=200)
        with Site(scene.server.binary, HERE, "here.test", environment={
                **dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots, "POSTHUS_TLS_CERTIFICATE": pair.certificate,
                "POSTHUS_TLS_KEY": pair.key}) as site:
            site.set("public.addresses", "127.0.0.5")
            site.set("delivery.blocklists", "list.test,clean.test")
            site.set("delivery.probe_hosts", "probe.here.test")
            done = site.server.cli("check-delivery", "--json", check=False)
            found = {(i["check"], i["subject"]): i for i in json.loads(done.stdout)["items"]}
            assert done.returncode == 1, done
            assert found["reverse", "5.0.0.127.in-addr.arpa"]["state"] == "ok", found
            assert found["blocklist", "127.0.0.5 at list.test"]["state"] == "wrong", found
            assert "sends spam" in found["blocklist", "127.0.0.5 at list.test"]["meaning"], found
            assert found["blocklist", "127.0.0.5 at clean.test"]["state"] == "ok", found
            assert found["port_25", "probe.here.test (127.0.0.2)"]["state"] == "ok", found
            assert found["certificate", "mx.here.test"]["state"] == "ok", found
            assert found["addresses", "IPv6"]["state"] == "unknown", found
            assert site.call("GET", "/api/v1/delivery-check")["light"] == "red"
