"""A real server with real data for the panel's tests, and a headless Chromium that looks at it. Hostile text stands wherever strangers
can put some: subjects, senders, replies of other servers, a browser's name. No packet leaves loopback: mail goes by routes to hosts of
this process, names are asked at a port where nobody answers."""
import base64
import json
import os
import shutil
import smtplib
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop")]

from outgoing_scene import PlainHost, Site, wait_for  # noqa: E402
from ports import free_ports  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402

PASSWORD = "correct-horse-7"
ADMIN, ANNA = "ingrid@nordlys.test", "anna@nordlys.test"
EVIL = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
NAMES = ["jonas.brandt", "lena.vogel", "marte", "ole.tveit", "petter", "sindre", "kari", "liv", "hans", "greta", "nils", "berit"]
# Ends an asynchronous script when what was changed is drawn.
PAINTED = "const done = arguments[arguments.length - 1]; requestAnimationFrame(() => requestAnimationFrame(() => done()));"
AXE = os.path.join(HERE, "..", "..", "web-admin", "ui", "node_modules", "axe-core", "axe.min.js")
PATIENCE = 20  # seconds; only reached when what is waited for does not come


class PanelSite(Site):
    """nordlys.test and brandt-elektro.test with people, aliases, mail that arrived, mail that waits for several reasons."""

    def __init__(self, binary, evil=EVIL):
        self.evil = evil
        super().__init__(binary, "127.0.0.1", "nordlys.test", user="anna", environment={"POSTHUS_HOSTNAME": "localhost"})

    def fill(self):
        self.server.add_user(ADMIN, PASSWORD, "--admin")
        self.server.add_domain("brandt-elektro.test")
        self.server.add_domain("tveit.test")
        for i, name in enumerate(NAMES):
            self.call("POST", "/api/v1/users", {"address": "%s@%s" % (name, ["brandt-elektro.test", "nordlys.test"][i % 2]),
                                                "quota_bytes": 20_000_000_000 if i else 30_000})
        self.call("PATCH", "/api/v1/users/petter@brandt-elektro.test", {"disabled": True})
        self.call("POST", "/api/v1/aliases", {"address": "post@nordlys.test", "targets": [ADMIN, ANNA]})
        self.call("POST", "/api/v1/aliases", {"address": "@tveit.test", "targets": ["marte@brandt-elektro.test"]})
        self.call("POST", "/api/v1/groups", {"address": "team@nordlys.test", "display_name": "Das Team " + self.evil, "writers": "members",
                                             "members": [ADMIN, ANNA, "lena@elsewhere.test", "jonas.brandt@brandt-elektro.test"]})
        self.call("POST", "/api/v1/groups", {"address": "alle@nordlys.test", "writers": "domain", "members": ["team@nordlys.test"]})
        self.call("POST", "/api/v1/users", {"address": "kontakt@nordlys.test", "shared": True})
        self.call("PUT", "/api/v1/users/kontakt@nordlys.test/delegates/" + ANNA, {"access": "full", "send_as": True})
        self.call("PUT", "/api/v1/users/kontakt@nordlys.test/delegates/lena.vogel@nordlys.test", {"access": "read"})
        self.call("POST", "/api/v1/users/ole.tveit@nordlys.test/hold", {"reason": "214 copies in ten minutes " + self.evil})
        for i in range(40):
            self.call("POST", "/api/v1/users", {"address": "person%02d@nordlys.test" % i})
        self.receive()
        self.send_out()

    def deliver_local(self, to, subject, sender="stranger@elsewhere.test", body="Hello.\r\n"):
        with smtplib.SMTP(self.address, self.smtp_port, local_hostname="mx.elsewhere.test") as client:
            text = "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@elsewhere.test>\r\n\r\n%s" % (
                sender, to, subject, abs(hash((to, subject))), body)
            client.sendmail(sender, [to], text.encode())

    def receive(self):
        self.deliver_local(ANNA, "Angebot Beleuchtung Halle 2")
        self.deliver_local("post@nordlys.test", self.evil or "Öffnungszeiten?", sender="mallory@elsewhere.test")
        self.deliver_local("jonas.brandt@brandt-elektro.test", "Lieferschein", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 390)

    def send_out(self):
        self.set("queue.first_retry_seconds", "1800")
        self.set("queue.max_retry_seconds", "7200")
        closed = free_ports(1)[0]
        replies = {"bigmail.test": "451 4.7.1 Greylisted, come back in 900 seconds", "skole.test": "452 4.2.2 Mailbox full " + self.evil,
                   "gone.test": "550 5.1.1 No such user " + self.evil}
        self.hosts = []
        for domain, reply in replies.items():
            host = PlainHost("127.0.0.1", answer=lambda line, reply=reply: reply if line.upper().startswith("RCPT") else None)
            host.__enter__()
            self.hosts.append(host)
            self.route(domain, "smtp://127.0.0.1:%d?tls=never" % host.port)
        taking = PlainHost("127.0.0.1")
        taking.__enter__()
        self.hosts.append(taking)
        self.route("takes.test", "smtp://127.0.0.1:%d?tls=never" % taking.port)
        self.route("kunde-post.test", "smtp://127.0.0.1:%d?tls=never" % closed)
        for subject, to in (("Rechnung 2026-1183", ["einkauf@kunde-post.test", ADMIN]), ("Liefertermin KW 48", ["lager@kunde-post.test"]),
                            ("Newsletter", ["person@bigmail.test"]), ("Elternabend", ["rektor@skole.test"]),
                            ("Old address", ["nobody@gone.test"]), ("Taken", ["friend@takes.test"])):
            self.send(*to, marker=subject)
        self.call("POST", "/api/v1/queue", {"action": "hold", "domain": "bigmail.test", "reason": "looks like a mistake"})
        # A destination rests after a failure; mail that comes meanwhile has a time for its attempt but none behind it.
        wait_for(lambda: all(one["attempts"] > 0 or one["next_attempt"] for item in self.queue() for one in item["recipients"]), "the first attempts")
        wait_for(lambda: len(self.queue()) == 4, "what can be delivered is gone: %s" % [q["recipients"] for q in self.queue()])

    def __exit__(self, *arguments):
        for host in getattr(self, "hosts", []):
            host.__exit__()
        super().__exit__(*arguments)


class Page:
    """The browser, with the words a test needs. Every fault of the console is kept for the end of the test."""

    def __init__(self, origin, shots):
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en-GB",
                         "--ignore-certificate-errors", "--disable-dev-shm-usage", "--user-agent=Browser of a test " + EVIL):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.browser.set_script_timeout(60)
        self.origin, self.shots = origin, shots
        self.files = tempfile.mkdtemp(prefix="posthus-browser-")
        self.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": self.files})
        self.size(1440)

    def close(self):
        self.browser.quit()
        shutil.rmtree(self.files, ignore_errors=True)

    def size(self, width, height=900):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        self.width = width

    def theme(self, name):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": name}, {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def open(self, path):
        self.browser.get(self.origin + path)
        self.settled()

    def go(self, path):
        """To another page as a click does, without loading all again."""
        self.browser.execute_async_script("history.pushState(null, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'));" + PAINTED, path)
        self.settled()

    def leave(self):
        """Nothing of the panel is loading any more: what a page shows can be taken away without its asking for it."""
        self.browser.get("about:blank")

    def language(self, name):
        self.browser.execute_script("localStorage.setItem('posthus-language', arguments[0])", name)
        self.browser.refresh()
        self.until(lambda: self.browser.execute_script("return document.documentElement.lang") == name, name)
        self.settled()

    def settled(self):
        """A heading is there and nothing is loading."""
        self.until(lambda: self.all("h1") and not self.all(".loading"), "the page")

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                result = condition()
            except Exception as error:  # an element that was replaced meanwhile: look again
                if "stale" not in str(error).lower():
                    raise
                result = None
            if result:
                return result
            time.sleep(0.03)  # polling, bounded by PATIENCE
        raise AssertionError("did not come: %s; the page says: %s" % (what, self.text()[:1500]))

    def all(self, selector):
        return [one for one in self.browser.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]

    def one(self, selector):
        return self.until(lambda: self.all(selector), selector)[0]

    def text(self):
        return self.browser.find_element(By.TAG_NAME, "body").text

    def says(self, text):
        self.until(lambda: text in self.text(), repr(text))

    def button(self, name, inside="body"):
        """The button or link with this name: its label for screen readers, else its text."""
        def find():
            for one in self.all(inside + " button, " + inside + " a"):
                if name in ((one.get_attribute("aria-label") or "").strip(), one.text.strip()):
                    return one
            return None
        return self.until(find, "the button " + name)

    def press(self, name, inside="body"):
        button = self.button(name, inside)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def press_summary(self, name):
        self.until(lambda: next((one for one in self.all("summary") if one.text.strip() == name), None), "the summary " + name).click()

    def type(self, selector, text):
        field = self.one(selector)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)

    def put(self, selector, text):
        """A text of several lines, as pasted."""
        self.browser.execute_script("const f = arguments[0]; f.value = arguments[1]; f.dispatchEvent(new Event('input', {bubbles: true}))", self.one(selector), text)

    def upload(self, selector, name, text):
        path = os.path.join(self.files, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.one(selector).send_keys(path)

    def downloaded(self, name):
        """The text of a file the browser has saved, once it is whole; it is taken away."""
        path = os.path.join(self.files, name)
        self.until(lambda: os.path.exists(path) and os.path.getsize(path), name)
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            text = file.read()
        os.remove(path)
        return text

    def check(self, label):
        """Ticks the box with this label for screen readers."""
        self.one("input[type=checkbox][aria-label=%s]" % json.dumps(label)).click()

    def choose(self, selector, value):
        self.browser.execute_script("const s = arguments[0]; s.value = arguments[1]; s.dispatchEvent(new Event('change', {bubbles: true}))",
                                    self.one(selector), value)

    def sign_in(self, login=ADMIN, password=PASSWORD):
        self.browser.get(self.origin + "/")
        self.type("input[type=email]", login)
        self.type("input[autocomplete=current-password]", password)
        self.one("button.primary").click()
        self.one("nav.nav, .topbar")
        self.settled()

    def sign_out(self):
        self.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.browser.get(self.origin + "/")
        self.browser.execute_script("localStorage.clear()")

    def shot(self, name, height=None):
        """The whole page as a picture among the artefacts; with `height` its beginning."""
        height = height or min(3000, max(900, self.browser.execute_script("return document.documentElement.scrollHeight")))
        options = {"format": "png", "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": self.width, "height": height, "scale": 1}}
        path = os.path.join(self.shots, name.replace("?", "") + ".png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.browser.execute_cdp_cmd("Page.captureScreenshot", options)["data"]))
        return path

    def console(self):
        """What the console complained of since it was asked last."""
        return [line["message"] for line in self.browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]

    def overflow(self):
        return self.browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def axe(self):
        """Violations that axe-core finds, each with the first element concerned."""
        if not self.browser.execute_script("return 'axe' in window"):
            with open(AXE, encoding="utf-8") as source:
                self.browser.execute_script(source.read())
        result = self.browser.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document.querySelector('dialog') || document, {resultTypes: ['violations']}).then((r) => done(JSON.stringify(r.violations)), (e) => done(JSON.stringify([{id: String(e), nodes: []}])))")
        return ["%s: %s" % (one["id"], one["nodes"][0]["html"][:200] if one["nodes"] else "") for one in json.loads(result)]


__all__ = ["ADMIN", "ANNA", "EVIL", "PASSWORD", "Page", "PanelSite", "PosthusServer", "wait_for"]
