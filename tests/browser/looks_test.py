"""How every page looks: three widths, both themes, three languages; nothing scrolls sideways, axe-core finds nothing, the console is
silent, hostile text stays text. The pictures are artefacts to be looked at by people."""
import os
from urllib.parse import quote

from panel_scene import ADMIN, ANNA, EVIL

AXE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "web-admin", "ui", "node_modules", "axe-core", "axe.min.js")
PAGES = {"overview": "/", "trace": "/trace", "queue": "/queue", "queue-mail": "/queue?view=mail", "domains": "/domains",
         "domain": "/domains/nordlys.test", "domain-keys": "/domains/nordlys.test/keys", "domain-settings": "/domains/nordlys.test/settings",
         "mailboxes": "/mailboxes", "mailbox": "/mailboxes/anna%40nordlys.test", "mailbox-held": "/mailboxes/ole.tveit%40nordlys.test",
         "aliases": "/aliases", "routes": "/routes", "security": "/security", "tokens": "/security/tokens",
         "certificates": "/security/certificates", "settings": "/settings", "about": "/about", "me": "/me"}
LOOKS = ((1440, "light", "en"), (768, "dark", "de"), (360, "light", "nb"), (360, "dark", "en"), (1440, "dark", "de"))


def message(site, subject):
    found = site.call("GET", "/api/v1/trace?limit=100&subject=" + quote(subject))["items"]
    return found[0]["id"]


def language(page, name):
    page.browser.execute_script("localStorage.setItem('posthus-language', arguments[0])", name)


def look(page, name, path, faults):
    with open(AXE, encoding="utf-8") as file:
        axe = file.read()
    for width, theme, words in LOOKS:
        page.size(width)
        page.theme(theme)
        language(page, words)
        page.open(path)
        page.shot("%s-%d-%s-%s" % (name, width, theme, words))
        where = "%s at %d %s %s" % (name, width, theme, words)
        if page.overflow() > 0:
            faults.append("%s scrolls %d px sideways" % (where, page.overflow()))
        faults += ["%s: %s" % (where, one) for one in page.axe(axe)]
        faults += ["%s: the page shows no text for %s" % (where, one) for one in ("undefined", "NaN", "[object") if one in page.text()]


def test_every_page_in_widths_themes_and_languages(page, site):
    faults = []
    for name, path in PAGES.items():
        look(page, name, path, faults)
    look(page, "message-waiting", "/trace/" + message(site, "Rechnung 2026-1183"), faults)
    look(page, "message-failed", "/trace/" + message(site, "Old address"), faults)
    assert not faults, "\n".join(faults)


def test_hostile_text_is_text(page, site):
    for path in ("/trace", "/trace/" + message(site, "onerror"), "/trace/" + message(site, "Old address"), "/queue", "/queue?view=mail",
                 "/mailboxes/ole.tveit%40nordlys.test", "/security", "/me"):
        page.open(path)
        for summary in page.all("summary"):
            summary.click()
        assert "<img src=x" in page.text(), path
        assert not page.browser.execute_script("return document.querySelector('main img, main script')"), path


def test_user_sees_own_pages_only(page, site):
    assert page.one("h1")
    for width, theme, words in LOOKS[:3]:
        page.size(width)
        page.theme(theme)
        language(page, words)
        page.open("/")
        page.shot("user-%d-%s-%s" % (width, theme, words))
        assert page.overflow() <= 0
    language(page, "en")
    for path in ("/queue", "/mailboxes", "/security", "/domains/nordlys.test"):
        page.open(path)
        page.says("There is no such page")
    assert not page.all("nav a[href='/mailboxes']")


test_user_sees_own_pages_only.login = ANNA
test_hostile_text_is_text.login = ADMIN
assert EVIL
