"""The first start: from an empty data directory to mail, by HTTP alone, interrupted after every step; and by settings alone."""
import contextlib
import http.client
import imaplib
import json
import os
import random
import re
import shutil
import smtplib
import socket
import threading

from authority import Authority
from dns_site import DnsSite
from outgoing_scene import wait_for
from pebble import Pebble
from posthus_server import PosthusServer

PASSWORD = "correct-horse-7"
ZONES = {"ca.test": "@ A 127.0.0.1", "example.test": "mail A 127.0.0.1"}
ADMIN = {"address": "admin@example.test", "password": PASSWORD}


class NewServer:
    """A server without a domain, whose log tells the token."""

    def __init__(self, scene, environment):
        self.server = PosthusServer(scene.server.binary, environment=environment)
        self.server.environment.pop("POSTHUS_HOSTNAME", None)
        self.server.environment.update(environment)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.server.directory, ignore_errors=True)

    @property
    def token(self):
        return re.findall(r"one-time token:  (\S+)", self.server.log())[-1]

    def call(self, method, path, body=None, token=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.ports["https"], timeout=60, context=PosthusServer.tls())
        fields = {"Authorization": "Bearer " + (self.token if token is None else token)}
        if body is not None:
            fields["Content-Type"] = "application/json"
        connection.request(method, "/api/v1/" + path, None if body is None else json.dumps(body), fields)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def step(self, name, body, expected=200):
        status, answer = self.call("PUT", "setup/" + name, body)
        assert status == expected, (name, status, answer)
        return answer

    def done(self):
        status, state = self.call("GET", "setup")
        assert status == 200, state
        return {step["name"] for step in state["steps"] if step["done"]}

    def greeting(self, listener):
        with socket.create_connection(("127.0.0.1", self.server.ports[listener]), timeout=20) as plain:
            client = plain
            if listener in ("submissions", "pop3s", "imaps"):
                client = PosthusServer.tls().wrap_socket(plain)
            return client.makefile("rb").readline()


def begins_anew(site, name):
    def is_there():
        try:
            return site.call("GET", "setup")[1].get("hostname") == name
        except (OSError, http.client.HTTPException):
            return False
    wait_for(is_there, "a server called " + name)


def quietly(ask):
    with contextlib.suppress(OSError, http.client.HTTPException):
        ask()


def mail_goes_in_and_out(server, address):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], local_hostname="client.test", timeout=30) as client:
        client.sendmail("someone@elsewhere.test", [address], b"Subject: first\r\n\r\nhello\r\n")
    client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=PosthusServer.tls())
    client.login(address, PASSWORD)
    assert client.select("INBOX")[1] == [b"1"]
    client.logout()


def test_nothing_else_answers_before_the_set_up(scene):
    with NewServer(scene, {}) as site:
        for listener in ("smtp", "submission", "submissions"):
            assert site.greeting(listener).startswith(b"421 4.3.2 This mail server is not set up yet"), listener
        for listener in ("pop3", "pop3s"):
            assert site.greeting(listener).startswith(b"-ERR [SYS/TEMP] This mail server is not set up yet"), listener
        for listener in ("imap", "imaps"):
            assert site.greeting(listener).startswith(b"* BYE [UNAVAILABLE] This mail server is not set up yet"), listener
        status, refused = site.call("GET", "status")
        assert status == 503 and refused["set_up"] is False and "log" in refused["detail"], refused
        assert site.call("PUT", "setup/admin", ADMIN, token="wrong-toke-nnnn")[0] == 401
        site.server.cli("health")
        first = site.token
        site.server.stop()
        site.server.start()
        assert site.token != first and site.call("GET", "setup", token=first)[0] == 401
        site.server.add_domain("example.test")  # a command is a set-up too
        assert site.greeting("smtp").startswith(b"220 ")
        site.server.kill()
        site.server.start()
        assert site.greeting("smtp").startswith(b"220 ") and site.call("GET", "setup")[1] == {"set_up": True}


def test_a_server_is_set_up_by_http_and_taken_up_after_every_interruption(scene):
    with Authority() as authority, DnsSite(ZONES) as dns:
        with NewServer(scene, dns.environment()) as site:
            ports = site.server.ports
            with Pebble(authority, dns, http_port=ports["http"], tls_port=ports["https"]) as ca:
                site.server.environment["POSTHUS_OUTGOING_ROOTS"] = authority.roots

                def interrupt(*done):
                    site.server.kill()
                    site.server.start()
                    assert site.done() >= set(done), (done, site.done())
                    assert site.greeting("smtp").startswith(b"421 ")

                site.step("admin", {"address": "admin@wrong.test", "password": PASSWORD})
                interrupt("admin")
                site.step("admin", ADMIN)
                answer = site.step("hostname", {"hostname": "mail.example.test", "addresses": ["127.0.0.1"]}, expected=202)
                assert answer["addresses"] == ["127.0.0.1"] and answer["restarts"], answer
                begins_anew(site, "mail.example.test")
                interrupt("admin", "hostname")
                site.step("domain", {"name": "example.test"})
                interrupt("admin", "hostname", "domain")
                order = {"mode": "acme", "contact": "admin@example.test", "directory": ca.directory, "accept_terms": True}
                site.step("certificate", order)
                wait_for(lambda: [i["state"] for i in site.call("GET", "setup/certificate")[1]["items"]] == ["valid"], "a certificate")
                interrupt("certificate")
                records = site.call("GET", "setup/dns")[1]
                assert records["hostname"] == "mail.example.test" and any(r["type"] == "MX" for r in records["items"]), records
                status, found = site.call("POST", "setup/dns/check")
                assert status == 200 and found["light"] == "red", found  # nothing is published
                site.step("mailbox", {"address": "anna@example.test", "password": PASSWORD})
                interrupt("dns", "mailbox")
                assert site.call("POST", "setup/finish") == (200, {"set_up": True})
                mail_goes_in_and_out(site.server, "anna@example.test")
                assert b"mail.example.test" in site.greeting("smtp")
                assert site.call("PUT", "setup/admin", ADMIN)[0] == 403
                site.server.kill()
                site.server.start()
                assert site.call("GET", "setup")[1] == {"set_up": True}
                listed = site.server.cli_json("domain", "list")
                assert [d["name"] for d in listed["items"]] == ["example.test"], "the wrong first try has left nothing"
                mail_waits = site.server.cli_json("user", "list")["items"]
                assert {u["address"] for u in mail_waits} == {"admin@example.test", "anna@example.test"}


def test_a_step_that_a_kill_cuts_off_can_be_repeated(scene):
    """Killed while a step is under way, at some moment or other: the step is done or not, and doing it again is right either way."""
    steps = (("admin", ADMIN), ("hostname", {"hostname": "mail.example.test", "addresses": ["192.0.2.7"]}), ("domain", {"name": "example.test"}),
             ("sending", {"mode": "smarthost", "server": "smtps://192.0.2.9", "login": "me", "password": PASSWORD}),
             ("certificate", {"mode": "self_signed"}), ("mailbox", {"address": "anna@example.test", "password": PASSWORD}))
    rng = random.Random(4711)
    with NewServer(scene, {"POSTHUS_DNS_SERVERS": "127.0.0.1@9", "POSTHUS_DNS_TRUST_ANCHOR": ""}) as site:
        def cut_off(ask):
            token = site.token  # of this start
            asking = threading.Thread(target=lambda: quietly(lambda: ask(token)))
            asking.start()
            asking.join(rng.uniform(0, 0.05))  # the random moment itself, not a synchronisation
            site.server.kill()
            asking.join()
            site.server.start()

        for name, body in steps:
            cut_off(lambda token: site.call("PUT", "setup/" + name, body, token))
            status, answer = site.call("PUT", "setup/" + name, body)
            assert status in (200, 202), (name, status, answer)
            if status == 202:
                begins_anew(site, "mail.example.test")
            assert name in site.done() or name == "sending", (name, site.done())
        cut_off(lambda token: site.call("POST", "setup/finish", None, token))
        if site.call("GET", "setup")[1] != {"set_up": True}:
            assert site.call("POST", "setup/finish") == (200, {"set_up": True})
        mail_goes_in_and_out(site.server, "anna@example.test")


def test_the_login_at_a_smarthost_is_tried(scene):
    smarthost = "smtp://127.0.0.1:%d" % scene.ports["submission"]
    with NewServer(scene, {}) as site:
        site.step("admin", {"address": "admin@new.test", "password": PASSWORD})
        for password, works in (("wrong-horse-9", False), (scene.password, True)):
            site.step("sending", {"mode": "smarthost", "server": smarthost, "login": scene.anna, "password": password,
                                  "test_address": scene.ben})
            wait_for(lambda: not site.call("GET", "setup/sending")[1]["test"]["running"], "the end of the dry run")
            test = site.call("GET", "setup/sending")[1]["test"]
            assert test["works"] is works, test
            assert password not in json.dumps(test)


def test_settings_alone_set_a_server_up(scene):
    directory = scene.directory
    secret = os.path.join(directory, "password")
    settings = {"POSTHUS_HOSTNAME": "mail.example.test", "POSTHUS_SETUP_DOMAIN": "example.test",
                "POSTHUS_SETUP_ADMIN": "anna@example.test", "POSTHUS_SETUP_ADMIN_PASSWORD_FILE": secret,
                "POSTHUS_SETUP_ADDRESSES": "192.0.2.7"}
    server = PosthusServer(scene.server.binary, environment=settings)
    try:
        for text, complaint in ((None, "password_file: "), ("\n", "is empty"), ("short\n", "8 to 1024 bytes")):
            if text is not None:
                with open(secret, "w") as f:
                    f.write(text)
            server.launch()
            assert server.process.wait(60) == 1
            assert complaint in server.log() and "setup.admin" in server.log(), server.log()
        with open(secret, "w") as f:
            f.write(PASSWORD + "\n")
        server.start()
        mail_goes_in_and_out(server, "anna@example.test")
        assert "first_start.not_set_up" not in server.log() and PASSWORD not in server.log()
        assert b"192.0.2.7" in server.cli("setting", "list").stdout
        # What was changed since stays.
        server.cli("user", "password", "anna@example.test", "--password-stdin", stdin="another-horse-8\n")
        server.stop()
        server.start()
        client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=PosthusServer.tls())
        client.login("anna@example.test", "another-horse-8")
        client.logout()
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)
