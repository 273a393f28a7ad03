"""Passkeys in the browser, with Chromium's virtual authenticator: made on one's own page, used to sign in alone and after the password,
refused when nobody has confirmed, taken away by an admin. Nothing is offered where nothing would work."""
from panel_scene import ANNA, PASSWORD, wait_for
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

LIV = "liv@nordlys.test"


class Authenticator:
    """A device with a fingerprint reader, for as long as the block lasts."""

    def __init__(self, page):
        self.browser = page.browser

    def __enter__(self):
        options = VirtualAuthenticatorOptions()
        options.protocol = "ctap2"
        options.transport = "internal"
        options.has_resident_key = options.has_user_verification = options.is_user_verified = True
        self.browser.add_virtual_authenticator(options)
        return self

    def __exit__(self, *_):
        self.browser.remove_virtual_authenticator()


def make_passkey(page, name):
    page.press("New passkey")
    page.type("dialog input[name=name]", name)
    page.type("dialog input[name=current]", PASSWORD)
    page.press("Next", "dialog")
    page.says("The passkey %s is made" % name)


def looks(page, name):
    for width, theme in ((1440, "light"), (360, "dark")):
        page.size(width)
        page.theme(theme)
        page.shot("%s-%d-%s" % (name, width, theme))
        assert page.overflow() <= 0, "%s scrolls sideways at %d" % (name, width)
        assert page.axe() == [], page.axe()
    page.size(1440)
    page.theme("light")


def test_passkeys_sign_in_alone_and_after_the_password(page, site):
    with Authenticator(page) as device:
        page.open("/me")
        page.says("Sign in with your fingerprint")
        page.press("New passkey")
        page.type("dialog input[name=current]", "wrong-horse-7")
        page.press("Next", "dialog")
        page.says("not right")
        page.shot("passkey-new")
        page.press("Cancel", "dialog")
        make_passkey(page, "Laptop <b>")
        page.says("Laptop <b>")
        looks(page, "passkeys")
        # The same device is not taken twice.
        page.press("New passkey")
        page.type("dialog input[name=current]", PASSWORD)
        page.press("Next", "dialog")
        page.says("This device has a passkey for your account already")
        page.press("Cancel", "dialog")
        page.sign_out()
        looks(page, "sign-in-passkey")
        page.press("Sign in with a passkey")
        page.one("nav.nav, .topbar")
        page.open("/me")
        page.says("Used")
        assert site.call("GET", "/api/v1/sign-ins?result=accepted")["items"][0]["mechanism"] == "passkey"
        # Nobody confirms: nothing is signed in.
        page.sign_out()
        device.browser.set_user_verified(False)
        page.press("Sign in with a passkey")
        page.says("The browser made nothing")
        device.browser.set_user_verified(True)
        page.press("Sign in with a passkey")
        page.one("nav.nav, .topbar")
        second_factor(page)
        page.language("en")
        admin_takes_it_away(page, site)


def second_factor(page):
    page.open("/me")
    page.press("Ask for a passkey …")
    page.type("dialog input[name=current]", PASSWORD)
    page.press("Switch on", "dialog")
    page.says("Your recovery codes")
    recovery = page.all("dialog li")[0].text
    page.press("Done", "dialog")
    page.says("a passkey or a recovery code")
    page.sign_out()
    page.type("input[type=email]", LIV)
    page.type("input[autocomplete=current-password]", PASSWORD)
    page.one("button.primary").click()
    page.says("Recovery code")
    looks(page, "sign-in-factor-passkey")
    page.press("Use a passkey")
    page.one("nav.nav, .topbar")
    page.sign_out()
    page.type("input[type=email]", LIV)
    page.type("input[autocomplete=current-password]", PASSWORD)
    page.one("button.primary").click()
    page.type("input[name=code]", recovery)
    page.press("Sign in")
    page.one("nav.nav, .topbar")
    for language, words in (("de", "Passkeys"), ("nb", "Passnøkler")):
        page.language(language)
        page.open("/me")
        page.says(words)


def admin_takes_it_away(page, site):
    page.sign_out()
    page.sign_in()
    page.open("/mailboxes/" + LIV)
    page.press("Switch off …")
    page.press("Switch off", "dialog")
    wait_for(lambda: not site.call("GET", "/api/v1/users/" + LIV)["second_factor"], "no second factor")
    page.press("Delete: Laptop <b>")
    page.shot("passkey-of-another")
    page.press("Delete", "dialog")
    wait_for(lambda: not site.call("GET", "/api/v1/users/%s/passkeys" % LIV)["items"], "no passkey")
    page.open("/security/audit")
    page.says("Deleted a passkey of " + LIV)
    page.sign_out()
    assert "passkey" not in page.text(), "it is offered although nobody has one"


test_passkeys_sign_in_alone_and_after_the_password.login = LIV
# Refusals that are part of the story: a wrong password, and the session that ended with the cookies.
test_passkeys_sign_in_alone_and_after_the_password.expected = ("403", "401")


def test_passkeys_are_not_offered_under_an_address(page, site):
    site.call("GET", "/api/v1/users/%s/passkeys" % ANNA)
    page.open("/me")
    page.says("Second factor")
    assert "Passkeys" in page.text()
    origin = page.origin
    try:
        page.origin = "https://127.0.0.1:%d" % site.server.ports["https"]
        page.sign_in(ANNA)
        page.open("/me")
        page.says("Second factor")
        assert "Passkeys" not in page.text(), "a browser takes no passkeys for an address"
    finally:
        page.origin = origin


test_passkeys_are_not_offered_under_an_address.login = ANNA


def prepare(site):
    site.call("PUT", "/api/v1/users/%s/password" % LIV, {"password": PASSWORD})
