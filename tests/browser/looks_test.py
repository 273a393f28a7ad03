"""How every page looks: three widths, both themes, three languages; nothing scrolls sideways, axe-core finds nothing, the console is
silent, hostile text stays text. The pictures are artefacts to be looked at by people."""
from urllib.parse import quote

from selenium.webdriver.common.keys import Keys

from panel_scene import ADMIN, ANNA

PAGES = {"overview": "/", "trace": "/trace", "queue": "/queue", "queue-mail": "/queue?view=mail", "domains": "/domains",
         "domain": "/domains/nordlys.test", "domain-keys": "/domains/nordlys.test/keys", "domain-settings": "/domains/nordlys.test/settings",
         "mailboxes": "/mailboxes", "mailbox": "/mailboxes/anna%40nordlys.test", "mailbox-held": "/mailboxes/ole.tveit%40nordlys.test",
         "aliases": "/aliases", "groups": "/groups", "mailbox-shared": "/mailboxes/kontakt%40nordlys.test", "routes": "/routes", "security": "/security", "tokens": "/security/tokens", "sign-ins": "/security/sign-ins", "audit": "/security/audit",
         "certificates": "/security/certificates", "alerts": "/alerts", "logs": "/logs", "settings": "/settings", "delivery": "/delivery", "device": "/mailboxes/anna%40nordlys.test/device", "about": "/about", "me": "/me"}
# By language: what is looked at on each page. Every page is seen in both themes, at three widths and in three languages.
LOOKS = {"en": ((1440, "light"), (360, "dark")), "de": ((768, "dark"), (360, "light")), "nb": ((1440, "dark"), (768, "light"))}


def message(site, subject):
    found = site.call("GET", "/api/v1/trace?limit=100&subject=" + quote(subject))["items"]
    return found[0]["id"]


def look(page, name, words, faults):
    for width, theme in LOOKS[words]:
        page.size(width)
        page.theme(theme)
        page.shot("%s-%d-%s-%s" % (name, width, theme, words))
        where = "%s at %d %s %s" % (name, width, theme, words)
        if page.overflow() > 0:
            faults.append("%s scrolls %d px sideways" % (where, page.overflow()))
        faults += ["%s: %s" % (where, one) for one in page.axe()]
        faults += ["%s: the page shows no text for %s" % (where, one) for one in ("undefined", "NaN", "[object") if one in page.text()]


def test_every_page_in_widths_themes_and_languages(page, site):
    faults = []
    pages = dict(PAGES, **{"message-waiting": "/trace/" + message(site, "Rechnung 2026-1183"), "message-failed": "/trace/" + message(site, "Old address")})
    for words in LOOKS:
        page.language(words)
        for name, path in pages.items():
            page.go(path)
            look(page, name, words, faults)
    assert not faults, "\n".join(faults)


DIALOGS = {"new-mailbox": ("/mailboxes", "New mailbox"), "import": ("/mailboxes", "Import"), "new-alias": ("/aliases", "New alias"),
           "new-group": ("/groups", "New group"), "new-delegate": ("/mailboxes/kontakt%40nordlys.test", "Add somebody"),
           "new-route": ("/routes", "New route"), "new-token": ("/security/tokens", "New token"), "order": ("/security/certificates", "Order a certificate"),
           "upload": ("/security/certificates", "Upload"), "change": ("/mailboxes/anna%40nordlys.test", "Change"),
           "delete": ("/mailboxes/anna%40nordlys.test", "Delete …"), "password": ("/me", "Change password"), "setting": ("/settings", "Change: queue.connections")}


def test_every_dialog_and_the_palette(page, site):
    faults = []
    for name, (path, button) in DIALOGS.items():
        page.go(path)
        page.press(button)
        page.one("dialog")
        look(page, "dialog-" + name, "en", faults)
        page.one("dialog").send_keys(Keys.ESCAPE)
        page.until(lambda: not page.all("dialog"), "the end of the dialog")
        page.size(1440)
    page.one("body").send_keys(Keys.CONTROL, "k")
    page.type("dialog input", "nord")
    page.says("Mail with")
    look(page, "palette", "en", faults)
    assert not faults, "\n".join(faults)


def test_the_sign_in_page(page, site):
    page.sign_out()
    faults = []
    for words in LOOKS:
        page.browser.get(page.origin)
        page.language(words)
        look(page, "sign-in", words, faults)
    assert not faults, "\n".join(faults)


test_the_sign_in_page.expected = ("401",)


def test_hostile_text_is_text(page, site):
    for path in ("/trace", "/trace/" + message(site, "onerror"), "/trace/" + message(site, "Old address"), "/queue", "/queue?view=mail",
                 "/mailboxes/ole.tveit%40nordlys.test", "/security", "/me"):
        page.go(path)
        for summary in page.all("summary"):
            summary.click()
        assert "<img src=x" in page.text(), path
        assert not page.browser.execute_script("return document.querySelector('main img, main script')"), path


def test_user_sees_own_pages_only(page, site):
    faults = []
    for words in LOOKS:
        page.language(words)
        look(page, "user", words, faults)
    assert not faults, "\n".join(faults)
    page.language("en")
    for path in ("/queue", "/mailboxes", "/security", "/domains/nordlys.test"):
        page.go(path)
        page.says("This page is not there")
    assert not page.all("nav a[href='/mailboxes']")


test_user_sees_own_pages_only.login = ANNA
test_hostile_text_is_text.login = ADMIN
