"""The set-up wizard: from the first start of a server to its first mail, in the browser only, left and taken up again on the way."""
import imaplib
import re
import shutil
import smtplib
import socket
import time

from authority import Authority
from dns_site import DnsSite
from identity_test import code
from panel_scene import ANNA, PASSWORD
from pebble import Pebble
from posthus_server import PosthusServer

ZONES = {"example.test": "mail A 127.0.0.1"}
NEW_ADMIN, NEW_USER = "admin@example.test", "kari@example.test"


def token(server):
    return re.findall(r"one-time token:  (\S+)", server.log())[-1]


def goes_on(page, title):
    page.says(title)
    for width, theme in ((1440, "light"), (360, "dark")):
        page.size(width)
        page.theme(theme)
        page.shot("wizard-%s-%d-%s-en" % (title.split(".")[0].replace(" ", "-").lower()[:24], width, theme))
        assert page.overflow() <= 0, "%s scrolls sideways at %d" % (title, width)
        faults = page.axe()
        assert not faults, "%s: %s" % (title, faults)
    page.size(1440)


def fill(page, **fields):
    for name, text in fields.items():
        page.type("main input[name=%s]" % name.replace("_", "-"), text)


def smarthost(page, site):
    page.one("main fieldset label:nth-of-type(2) input").click()
    fill(page, server="smtp://127.0.0.1:%d" % site.server.ports["submission"], login=ANNA, route_password="wrong-horse")
    page.press("Test")
    page.says("does not take mail from here")
    fill(page, route_password=PASSWORD)
    page.press("Test")


def mail_arrives(server):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], local_hostname="client.test", timeout=30) as client:
        client.sendmail("someone@elsewhere.test", [NEW_USER], b"Subject: first\r\n\r\nhello\r\n")
    client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=PosthusServer.tls())
    client.login(NEW_USER, PASSWORD)
    assert client.select("INBOX")[1] == [b"1"]
    client.logout()


def second_factor(page):
    """Left first, then taken up again; a wrong code is told."""
    page.one("main svg[role=img]")
    page.press("Later")
    page.says("What is this server called?")
    page.press("Second factor", "nav")
    page.one("main summary").click()
    secret = page.one("main .mono").text.replace(" ", "").strip()
    page.type("main input[name=code]", "000000")
    page.press("Switch on")
    page.says("The code is not right")
    page.type("main input[name=code]", code(secret, int(time.time()) // 30))
    page.press("Switch on")
    goes_on(page, "Your recovery codes")
    page.recovery = page.all("main ul.mono li")[0].text
    page.press("Go on")


def served_certificate(server):
    with socket.create_connection(("127.0.0.1", server.ports["https"]), timeout=20) as plain:
        with PosthusServer.tls().wrap_socket(plain, server_hostname="mail.example.test") as tls:
            return tls.getpeercert(binary_form=True)


def begin(page, server, hostname="mail.example.test"):
    """Through the steps that come before the others, without looking."""
    page.browser.get(page.origin + "/")
    page.type("input[name=token]", token(server))
    page.press("Begin")
    page.says("Who looks after this server?")
    fill(page, address=NEW_ADMIN, new_password=PASSWORD)
    page.press("Go on")
    page.says("Protect your account")
    page.press("Later")
    page.says("What is this server called?")
    fill(page, hostname=hostname)
    page.press("Look it up")
    page.says("in the DNS")


def set_up(page, site, server):
    page.browser.get(page.origin + "/")
    page.says("Set up this mail server")
    page.type("input[name=token]", "wrong-toke-nnnn")
    page.press("Begin")
    page.says("This is not the token")
    page.type("input[name=token]", token(server))
    page.press("Begin")
    goes_on(page, "Who looks after this server?")
    fill(page, address=NEW_ADMIN, new_password="short")
    page.press("Go on")
    page.says("8 to 1024")
    fill(page, new_password=PASSWORD)
    page.press("Go on")
    goes_on(page, "Protect your account with a second factor")
    second_factor(page)
    goes_on(page, "What is this server called?")
    page.browser.refresh()  # left, and taken up again
    page.says("What is this server called?")
    assert page.one("input[name=hostname]").get_attribute("value") == "mail.example.test"
    page.press("Look it up")
    page.says("The name has an address in the DNS")
    page.press("Go on")
    goes_on(page, "Which domain is the mail for?")
    page.press("Go on")
    goes_on(page, "How should mail leave this server?")
    page.press("Test")
    page.says("Outgoing port 25 does not work here")
    smarthost(page, site)
    page.says("The smarthost takes mail from here")
    page.press("Go on")
    goes_on(page, "How should this server prove its name?")
    page.one("main fieldset label:nth-of-type(3) input").click()
    page.press("Go on")
    goes_on(page, "Some records are not there yet")
    page.press("Later")
    goes_on(page, "Who gets the first mailbox?")
    fill(page, address=NEW_USER, new_password=PASSWORD)
    page.press("Go on")
    goes_on(page, "Everything needed is there")
    page.press("Start taking mail")
    goes_on(page, "Posthus is at work")
    page.one("svg.qr")
    page.press("Sign in")
    page.type("input[type=email]", NEW_ADMIN)
    page.type("input[autocomplete=current-password]", PASSWORD)
    page.one("button.primary").click()
    page.type("input[name=code]", page.recovery)
    page.one("button.primary").click()
    page.one("nav.nav, .topbar")
    page.settled()
    page.says("This server has no certificate that others trust")


def test_a_new_server_is_set_up_to_its_first_mail(page, site):
    with DnsSite(ZONES) as dns:
        server = PosthusServer(site.server.binary, environment=dns.environment())
        server.environment.pop("POSTHUS_HOSTNAME")
        origin = page.origin
        try:
            server.start()
            page.origin = "https://localhost:%d" % server.ports["https"]
            set_up(page, site, server)
            mail_arrives(server)
        finally:
            page.origin = origin
            server.stop()
            shutil.rmtree(server.directory, ignore_errors=True)


def test_the_certificate_step_asks_a_real_ca(page, site):
    # The CA asks the DNS as we do: as long as the name is not there, the order fails and the page says so.
    with Authority() as authority, DnsSite({"ca.test": "@ A 127.0.0.1", "example.test": "other A 127.0.0.1"}) as dns:
        server = PosthusServer(site.server.binary, environment={**dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots})
        server.environment.pop("POSTHUS_HOSTNAME")
        origin = page.origin
        with Pebble(authority, dns, http_port=server.ports["http"], tls_port=server.ports["https"]) as ca:
            server.environment["POSTHUS_ACME_DIRECTORY"] = ca.directory
            try:
                server.start()
                page.origin = "https://localhost:%d" % server.ports["https"]
                begin(page, server)
                page.go("/?step=certificate")
                page.says("How should this server prove its name?")
                page.one("main input[type=checkbox]").click()
                page.press("Order")
                page.says("No certificate could be had yet")
                page.shot("wizard-acme-refused")
                assert page.axe() == [], page.axe()
                dns.set_zone("example.test", "mail A 127.0.0.1")
                page.press("Order")
                page.says("records are not there yet")
                page.go("/?step=end")
                page.says("From a CA, now")
                assert b"mail.example.test" in served_certificate(server), "it is served at once"
            finally:
                page.origin = origin
                server.stop()
                shutil.rmtree(server.directory, ignore_errors=True)


# Refusals that are part of the story, and the moment in which the server begins anew.
test_a_new_server_is_set_up_to_its_first_mail.expected = ("503", "401", "400", "403", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_SSL", "ERR_SOCKET")
test_the_certificate_step_asks_a_real_ca.expected = test_a_new_server_is_set_up_to_its_first_mail.expected
