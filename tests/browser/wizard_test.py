"""The set-up wizard: from the first start of a server to its first mail, in the browser only, left and taken up again on the way."""
import imaplib
import re
import shutil
import smtplib

from dns_site import DnsSite
from panel_scene import ANNA, PASSWORD
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
    page.one("input[type=email]")
    page.sign_in(NEW_ADMIN)
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


# Refusals that are part of the story, and the moment in which the server begins anew.
test_a_new_server_is_set_up_to_its_first_mail.expected = ("503", "401", "400", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_SSL", "ERR_SOCKET")
