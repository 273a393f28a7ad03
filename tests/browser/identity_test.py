"""Who is who in the browser: a second factor from the QR code to the sign-in with a code, app passwords in a real IMAP login, what the
security pages tell of it, and the panel of a domain admin and of a user."""
import base64
import hashlib
import hmac
import imaplib
import socket
import ssl
import struct
import time

from panel_scene import ANNA, PASSWORD, wait_for

FRIDA, MARTE = "frida@nordlys.test", "marte@brandt-elektro.test"


def code(secret, step):
    """RFC 6238, six digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000)


class FromElsewhere(imaplib.IMAP4_SSL):
    """A client with an address of its own. Where many people come from 127.0.0.1, as in these tests, it is taken for a gateway's, and
    nobody is blocked for it."""

    def _create_socket(self, timeout):
        plain = socket.create_connection((self.host, self.port), timeout, source_address=("127.44.0.1", 0))
        return self.ssl_context.wrap_socket(plain, server_hostname=self.host)


def imap_login(site, login, password, kind=imaplib.IMAP4_SSL):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = kind("127.0.0.1", site.server.ports["imaps"], ssl_context=context)
    try:
        return client.login(login, password)[0] == "OK"
    except imaplib.IMAP4.error:
        return False
    finally:
        client.shutdown()


def test_second_factor_and_app_passwords(page, site):
    page.open("/me")
    page.press("New app password")
    page.type("dialog input[name=name]", "Phone <b>")
    page.type("dialog input[name=current]", PASSWORD)
    page.press("New app password", "dialog")
    page.says("Your app password")
    app = page.one("dialog .mono").text.strip()
    page.shot("app-password")
    page.press("Done", "dialog")
    page.says("Phone <b>")
    assert imap_login(site, FRIDA, app) and imap_login(site, FRIDA, PASSWORD)
    page.press("Switch on …")
    page.type("dialog input[name=current]", PASSWORD)
    page.press("Next", "dialog")
    page.says("Scan the code")
    page.one("dialog svg[role=img]")
    page.shot("second-factor")
    assert page.axe() == [], page.axe()
    page.one("dialog summary").click()
    secret = page.one("dialog .mono").text.replace(" ", "").strip()
    used = int(time.time()) // 30
    page.type("dialog input[name=code]", code(secret, used))
    page.press("Switch on", "dialog")
    page.says("Your recovery codes")
    recovery = page.all("dialog li")[0].text
    page.press("Done", "dialog")
    page.says("10 recovery codes are left")
    assert imap_login(site, FRIDA, app) and not imap_login(site, FRIDA, PASSWORD)
    page.sign_out()
    page.type("input[type=email]", FRIDA)
    page.type("input[autocomplete=current-password]", PASSWORD)
    page.one("button.primary").click()
    page.type("input[name=code]", recovery)
    page.shot("sign-in-code")
    page.one("button.primary").click()
    page.one("nav.nav, .topbar")
    page.open("/me")
    page.says("9 recovery codes are left")
    page.sign_out()
    page.sign_in()
    page.open("/mailboxes/" + FRIDA)
    page.press("Switch off …")
    page.press("Switch off", "dialog")
    wait_for(lambda: not site.call("GET", "/api/v1/users/" + FRIDA)["second_factor"], "no second factor")


test_second_factor_and_app_passwords.login = FRIDA


def test_security_tells_who_signed_in_and_what_was_changed(page, site):
    site.call("PATCH", "/api/v1/users/greta@nordlys.test", {"quota_bytes": 123_000_000})
    assert not imap_login(site, ANNA, "wrong")
    page.open("/security/sign-ins")
    page.says("wrong password")
    page.shot("sign-ins")
    assert page.axe() == [], page.axe()
    for i in range(5):
        imap_login(site, "hans@brandt-elektro.test", "wrong%d" % i, FromElsewhere)
    page.open("/security/sign-ins")
    page.says("Blocked now")
    page.press("Unblock: hans@brandt-elektro.test")
    wait_for(lambda: not site.call("GET", "/api/v1/blocks")["items"], "no block")
    page.open("/security/audit")
    page.says("Changed the mailbox greta@nordlys.test")
    page.shot("audit")
    assert page.axe() == [], page.axe()


def test_domain_admins_see_their_domains_only(page, site):
    page.open("/domains")
    page.says("brandt-elektro.test")
    assert "nordlys.test" not in page.text().replace(MARTE, "")
    page.open("/mailboxes")
    page.says("hans@brandt-elektro.test")
    assert "nordlys.test" not in page.text()
    page.open("/queue")
    page.open("/trace")
    page.open("/domains/brandt-elektro.test/settings")
    page.says("Language")
    page.shot("domain-admin")
    page.open("/settings")
    assert "queue.connections" not in page.text()
    wanted = [one["target"] for one in site.call("GET", "/api/v1/audit?who=" + MARTE)["items"] if one["status"] in (403, 404)]
    assert not wanted, "the panel itself asks for what is refused: %s" % wanted


def make_domain_admin(site):
    site.call("PUT", "/api/v1/users/%s/password" % MARTE, {"password": PASSWORD})
    site.call("PATCH", "/api/v1/users/%s" % MARTE, {"role": "domain_admin", "admin_of": ["brandt-elektro.test"]})


def prepare(site):
    make_domain_admin(site)
    site.call("POST", "/api/v1/users", {"address": FRIDA, "password": PASSWORD})


test_domain_admins_see_their_domains_only.login = MARTE
