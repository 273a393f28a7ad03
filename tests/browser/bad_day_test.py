"""A bad day, put right in the browser alone: a destination that is dead, a wrong record in the DNS, a certificate that has ended, an
account on hold."""
import base64

from panel_scene import PASSWORD, wait_for  # first: it says where the others are

from authority import Authority
from dns_site import DnsSite
from outgoing_scene import PlainHost, Site
from ports import free_port

HERE, ADMIN = "127.0.0.2", "ingrid@here.test"
KEY = base64.b64encode(b"thirty-two bytes that are secret").decode()
ZONES = {"here.test": "@ MX 10 mx\nmx A 127.0.0.2\n@ TXT \"v=spf1 ip4:127.0.0.9 -all\"", "127.in-addr.arpa": "2.0.0 PTR mx.here.test."}


def dead_destination(page, here, living):
    """Its server is gone for good; the admin knows the new one."""
    here.route("partner.test", "smtp://127.0.0.1:%d?tls=never" % free_port())
    here.send("friend@partner.test", marker="Angebot")
    page.open("/queue")
    page.says("Their server could not be reached")
    page.one("tbody [aria-haspopup=menu]").click()
    page.press("Other route", "[role=menu]")
    page.type("dialog input", "smtp://127.0.0.1:%d" % living.port)
    page.press("Other route", "dialog")
    wait_for(lambda: any("Angebot" in text for text in map(str, living.messages)), "the mail at the new server", lambda: "%s %s" % (here.queue(), page.text()[:900]))
    page.open("/trace?find=friend%40partner.test")
    page.says("Their server took it")


def wrong_record(page, here):
    def spf():
        items = here.call("POST", "/api/v1/domains/here.test/dns/check")["items"]
        return next(one["state"] for one in items if one["purpose"] == "spf")

    page.open("/domains/here.test")
    page.press("Check now")
    page.says("Who may send (SPF): ")
    assert spf() == "wrong"
    page.shot("bad-day-record")
    page.press("Write to the DNS …")
    page.press("Write", "dialog")
    page.says("dns.update_server")  # nobody has said yet where to
    page.press("Cancel", "dialog")
    return spf


def way_into_the_dns(page, dns):
    for name, value in (("dns.update_server", dns.server), ("dns.update_key", "update:" + KEY)):
        page.open("/settings")
        page.press("Change: " + name)
        page.type("dialog input", value)
        page.press("Save", "dialog")
        page.until(lambda: not page.all("dialog"), "saved")


def ended_certificate(page, here, authority):
    page.open("/security/certificates")
    page.says("One certificate does not work")
    page.says("Expired")
    page.shot("bad-day-certificate")
    good = authority.issue("mx.here.test", days=90)
    page.press("Upload")
    page.type("dialog input[name=hostname]", "mx.here.test")
    for name, path in (("chain", good.certificate), ("key", good.key)):
        with open(path) as f:
            page.put("dialog textarea[name=%s]" % name, f.read())
    page.press("Upload", "dialog")
    wait_for(lambda: [one["state"] for one in here.call("GET", "/api/v1/certificates")["items"]] == ["valid"], "in use")


def blocked_account(page, here, living):
    here.route("other.test", "smtp://127.0.0.1:%d?tls=never" % living.port)
    here.set("limits.burst", "2")
    for _ in range(4):
        here.send("friend@other.test", marker="Rundbrief")
    wait_for(lambda: here.call("GET", "/api/v1/users/" + here.user)["sending"]["held"], "on hold")
    page.open("/")
    page.says(here.user + " is on hold")
    page.press("Review")
    page.shot("bad-day-hold")
    page.press("Release: " + here.user)
    wait_for(lambda: not here.queue(), "its mail has left")


def test_a_bad_day_is_put_right_in_the_browser(page, site):
    origin = page.origin
    with Authority() as authority, DnsSite(ZONES, update_key=KEY) as dns, PlainHost("127.0.0.1") as living:
        old = authority.issue("mx.here.test", days=-1)
        here = Site(site.server.binary, HERE, "here.test", environment={
            **dns.environment(), "POSTHUS_OUTGOING_ROOTS": authority.roots, "POSTHUS_TLS_CERTIFICATE": old.certificate, "POSTHUS_TLS_KEY": old.key})
        with here:
            try:
                here.server.add_user(ADMIN, PASSWORD, "--admin")
                here.set("public.addresses", HERE)
                page.origin = "https://%s:%d" % (HERE, here.server.ports["https"])
                page.sign_in(ADMIN)
                dead_destination(page, here, living)
                spf = wrong_record(page, here)
                way_into_the_dns(page, dns)
                page.open("/domains/here.test")
                page.press("Check again")
                page.press("Write to the DNS …")
                page.press("Write", "dialog")
                page.says("entries are written")
                page.until(lambda: not page.all("progress") and "Who may send (SPF): " not in page.text(), "the record is right")
                assert spf() == "ok"
                ended_certificate(page, here, authority)
                blocked_account(page, here, living)
            finally:
                page.origin = origin
                page.browser.get(origin + "/")


test_a_bad_day_is_put_right_in_the_browser.expected = ("400",)
