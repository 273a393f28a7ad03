"""Alerts by mail and to a real web server on this machine; history, live log and support bundle over a stop and a start."""
import contextlib
import http.client
import http.server
import io
import json
import poplib
import smtplib
import tarfile
import threading
import time

from authority import Authority
from dns_site import DnsSite
from outgoing_scene import Site
from posthus_server import PosthusServer
from web_site import WebSite

ADMIN, ANNA = "admin@example.test", "anna@example.test"
PASSWORD = "correct-horse-7"
PATIENCE = 60  # seconds; only reached when something fails


class Receiver:
    """A web server on loopback that keeps what is posted to it; `refusals` of the first requests are answered 503."""

    def __init__(self, refusals=0):
        self.notices, self.requests, self.refusals = [], 0, refusals
        self.arrived = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.arrived:
                    outer.requests += 1
                    is_refused = outer.requests <= outer.refusals
                    if not is_refused:
                        outer.notices.append((self.path, self.headers["Content-Type"], json.loads(body)))
                    outer.arrived.notify_all()
                self.send_response(503 if is_refused else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/hook?token=s3cret" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.notices) >= count, PATIENCE), self.notices
            return [notice for _path, _type, notice in self.notices]


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)  # polling, bounded by PATIENCE
    raise AssertionError("waited in vain for " + what)


@contextlib.contextmanager
def watched(scene, settings=()):
    """A server that looks every second."""
    with PosthusServer(scene.server.binary) as server:
        server.add_domain("example.test")
        server.add_user(ADMIN, PASSWORD, "--admin")
        server.add_user(ANNA, PASSWORD)
        for name, value in settings:
            server.cli("setting", "set", name, value)
        server.cli("setting", "set", "alerts.interval_seconds", "1")
        yield server


def mails(server, user):
    box = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], context=server.tls(), timeout=30)
    box.user(user)
    box.pass_(PASSWORD)
    found = [b"\n".join(box.retr(i + 1)[1]).decode() for i in range(box.stat()[0])]
    box.quit()
    return found


def token_of(server):
    return server.cli_json("token", "create", "watcher", "--scope", "admin")["token"]


def ask(server, token, target):
    connection = http.client.HTTPConnection("127.0.0.1", server.ports["http"], timeout=30)
    connection.request("GET", target, headers={"Authorization": "Bearer " + token})
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, (response.status, body)
    return body


def alerts(server, *options):
    return server.cli_json("alert", "list", *options)["items"]


def test_an_alert_is_told_once_by_mail_and_webhook_and_so_is_its_end(scene):
    with Receiver() as receiver, watched(scene, [("alerts.webhook", receiver.url), ("alerts.disk_percent", "100")]) as server:
        opened = receiver.wait_for(1)[0]
        assert (opened["event"], opened["kind"], opened["closed"]) == ("opened", "disk", None), opened
        assert receiver.notices[0][:2] == ("/hook?token=s3cret", "application/json"), receiver.notices
        mail = wait_until(lambda: mails(server, ADMIN), "the mail")[0]
        assert "Subject: Alert: Only " in mail and "Auto-Submitted: auto-generated" in mail and "Return-Path: <>" in mail, mail
        assert [a["kind"] for a in alerts(server)] == ["disk"]
        wait_until(lambda: alerts(server)[0]["webhook_told"] == "opened", "the note of it")
        server.stop()
        server.start()  # a restart repeats nothing
        server.cli("setting", "set", "alerts.disk_percent", "0")
        closed = receiver.wait_for(2)[1]
        assert (closed["event"], closed["id"]) == ("closed", opened["id"]) and closed["closed"], closed
        wait_until(lambda: len(mails(server, ADMIN)) == 2, "the second mail")
        assert alerts(server) == [] and len(alerts(server, "--all")) == 1


def test_a_webhook_that_refuses_is_asked_again(scene):
    with Receiver(refusals=2) as receiver, watched(scene, [("alerts.webhook", receiver.url), ("alerts.disk_percent", "100")]) as server:
        receiver.wait_for(1)
        assert receiver.requests == 3, receiver.requests
        alert = wait_until(lambda: [a for a in alerts(server) if a["webhook_told"] == "opened"], "the note of it")[0]
        assert alert["webhook_error"] is None, alert


def test_holds_and_login_attacks_are_told(scene):
    with Receiver() as receiver, watched(scene, [("alerts.webhook", receiver.url), ("alerts.refused_sign_ins", "2"),
                                                 ("alerts.disk_percent", "0")]) as server:
        server.cli("account", "hold", ANNA, "--reason", "a strange burst")
        for _ in range(3):
            box = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], context=server.tls(), timeout=30)
            box.user("nobody@example.test")
            with contextlib.suppress(poplib.error_proto):
                box.pass_("guess")
            box.close()
        found = {n["kind"]: n for n in receiver.wait_for(2)}
        assert set(found) == {"hold", "logins"}, found
        assert found["hold"]["subject"] == ANNA and "a strange burst" in found["hold"]["what"], found
        server.cli("account", "release", ANNA)
        over = receiver.wait_for(3)[2]
        assert (over["event"], over["kind"]) == ("closed", "hold"), over


def test_a_test_says_what_came_of_it(scene):
    with Receiver() as receiver, watched(scene, [("alerts.disk_percent", "0")]) as server:
        done = server.cli("alert", "test", "--json")
        assert json.loads(done.stdout)["items"] == [{"channel": "mail", "target": "postmaster@example.test", "delivered": True,
                                                     "outcome": "in the mailbox"}], done.stdout
        server.cli("setting", "set", "alerts.webhook", receiver.url)
        text = server.cli("alert", "test").stdout.decode()
        assert "taken" in text and "s3cret" not in text, text
        assert receiver.wait_for(1)[0]["event"] == "test"
        assert len([m for m in mails(server, ADMIN) if "This is a test" in m]) == 2
        server.cli("setting", "set", "alerts.webhook", "http://127.0.0.1:1/")
        refused = server.cli("alert", "test", check=False)
        assert refused.returncode == 1 and "refused" in refused.stdout.decode(), refused
        for wrong in ("http://192.0.2.1/", "ftp://example.test/", "http://localhost.example.test/"):
            assert server.cli("setting", "set", "alerts.webhook", wrong, check=False).returncode != 0, wrong


def test_history_log_and_bundle(scene):
    with watched(scene, [("alerts.disk_percent", "0")]) as server:
        token = token_of(server)
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as smtp:
            smtp.sendmail("bert@far.test", [ANNA], "Subject: very private\r\n\r\nhello\r\n")
            with contextlib.suppress(smtplib.SMTPRecipientsRefused):
                smtp.sendmail("bert@far.test", ["nobody@example.test"], "Subject: x\r\n\r\nhello\r\n")
        lines = json.loads(ask(server, token, "/api/v1/logs?protocol=smtp"))
        accepted = [i for i in lines["items"] if i["line"]["event"] == "smtp.accepted"]
        assert len(accepted) == 1 and accepted[0]["trace"], lines
        trace = json.loads(ask(server, token, "/api/v1/trace/" + accepted[0]["trace"]))
        assert "bert@far.test" in json.dumps(trace), trace
        assert json.loads(ask(server, token, "/api/v1/logs?after=" + lines["follow"]))["items"] == []
        server.cli("setting", "set", "alerts.clock_seconds", "60")
        news = json.loads(ask(server, token, "/api/v1/logs?after=" + lines["follow"]))
        assert "http.change" in [i["line"]["event"] for i in news["items"]], news
        path = scene.directory + "/bundle.tar"
        server.cli("support-bundle", path)
        with open(path, "rb") as file:
            bundle = file.read()
        with tarfile.open(fileobj=io.BytesIO(bundle)) as tar:
            names = set(tar.getnames())
            log = tar.extractfile("log.jsonl").read().decode()
        assert {"README.txt", "status.json", "settings.json", "configuration.txt", "metrics.txt", "log.jsonl"} <= names, names
        assert "smtp.accepted" in log and "@far.test" in log, log
        for secret in (b"bert@", b"anna@", b"admin@", b"very private", token.encode(), PASSWORD.encode()):
            assert secret not in bundle, secret
        assert server.stop() == 0
        server.start()
        history = json.loads(ask(server, token, "/api/v1/history?span=day&figure=received,refused,submitted"))
        sums = {name: sum(v for v in values if v) for name, values in history["figures"].items()}
        assert sums == {"received": 1, "refused": 1, "submitted": 0}, sums
        assert len(history["figures"]["received"]) == history["slots"] == 288
        server.stop()
        assert json.loads(server.cli("check", "--json").stdout)["consistent"]


def test_the_clock_is_compared_with_what_web_servers_say(scene):
    """Two domains' policies, whose web servers say that it is an hour later than it is."""
    policy = "version: STSv1\r\nmode: testing\r\nmx: mx.%s\r\nmax_age: 86400\r\n"
    domains = ("a.test", "b.test")
    hosts = ["mta-sts." + domain for domain in domains]
    with Authority() as authority, WebSite(authority.issue(*hosts), {"mta-sts." + d: policy % d for d in domains}, clock_ahead=3600) as web:
        zone = "@ MX 10 mx\nmx A 127.0.0.3\n_mta-sts TXT \"v=STSv1; id=1;\"\nmta-sts A 127.0.0.1\n"
        with DnsSite({"a.test": zone, "b.test": zone, "here.test": ""}, insecure=list(domains)) as dns:
            environment = {**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots, "POSTHUS_OUTGOING_HTTPS_PORT": str(web.port)}
            with Site(scene.server.binary, "127.0.0.2", "here.test", environment=environment) as here:
                here.set("alerts.disk_percent", "0")
                here.set("alerts.interval_seconds", "1")
                here.send("ben@a.test")
                wait_until(lambda: web.fetched, "the first policy")
                here.send("ben@b.test")
                alert = wait_until(lambda: alerts(here.server), "the alert")[0]
                assert alert["kind"] == "clock" and -3605 < int(alert["facts"][0]) < -3595, alert
                assert sorted(alert["facts"][1].split(", ")) == hosts, alert
                report = here.call("POST", "/api/v1/delivery-check?probe=none")
                clock = [item for item in report["items"] if item["check"] == "clock"]
                assert len(clock) == 1 and clock[0]["state"] == "wrong" and "behind" in clock[0]["meaning"], report


def test_a_block_list_that_has_us_is_told(scene):
    """The list says so of our address, and of its test entry; then it says so no more."""
    zones = {"here.test": "", "list.test": "2.0.0.127 A 127.0.0.2\n9.0.0.127 A 127.0.0.2\n"}
    with DnsSite(zones, insecure=["list.test"]) as dns:
        with Site(scene.server.binary, "127.0.0.2", "here.test", environment=dns.environment()) as here:
            for name, value in (("public.addresses", "127.0.0.9"), ("delivery.blocklists", "list.test"),
                                ("alerts.disk_percent", "0"), ("alerts.interval_seconds", "1")):
                here.set(name, value)
            here.call("POST", "/api/v1/delivery-check?probe=none")
            alert = wait_until(lambda: alerts(here.server), "the alert")[0]
            assert (alert["kind"], alert["subject"]) == ("blocklist", "127.0.0.9 at list.test"), alert
            dns.set_zone("list.test", "2.0.0.127 A 127.0.0.2\n")
            here.call("POST", "/api/v1/delivery-check?probe=none")
            wait_until(lambda: not alerts(here.server), "its end")


def test_mail_that_does_not_get_through_is_told(scene):
    with Receiver() as receiver, DnsSite({"here.test": "", "there.test": "@ MX 10 mx\nmx A 127.0.0.3\n"}) as dns:
        with Site(scene.server.binary, "127.0.0.2", "here.test", environment=dns.environment()) as here:
            for name, value in (("alerts.webhook", receiver.url), ("alerts.disk_percent", "0"), ("alerts.queue_copies", "1"),
                                ("alerts.mail", "boss@there.test"), ("alerts.interval_seconds", "1")):
                here.set(name, value)
            here.send("ben@there.test")
            here.send("ben@there.test")
            notice = receiver.wait_for(1)[0]
            assert notice["kind"] == "queue", notice
            # The mail that tells of it waits behind the same dead server, and is no reason for another alert.
            wait_until(lambda: len(here.server.cli_json("queue", "list")["items"]) == 3, "the alert in the queue")
            here.server.cli("queue", "remove", "--all")
            over = receiver.wait_for(2)[1]
            assert (over["event"], over["kind"]) == ("closed", "queue"), over
