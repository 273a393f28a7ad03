"""The panel of a large installation, measured: every list's first page, searches as they are typed, what a browser waits for, and
what the panel in use costs in memory.

usage: panel.py BUILD-DIRECTORY     needs posthus and tests/bench_panel_fill there; chromium, chromium-driver, python3-selenium
       DOMAINS (1000), MAILBOXES (10000), ROWS of the trace (1000000), RUNS (20)
"""
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

# WHY [:1]: this folder has a queue.py, which is not what the libraries want.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:1] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "interop"), os.path.join(HERE, "..", "browser")]

from panel_scene import PASSWORD, Page  # noqa: E402
from posthus_server import PosthusServer  # noqa: E402
from resident import Watched, resident_mib  # noqa: E402

DOMAINS, MAILBOXES, ROWS = (os.environ.get(name, usual) for name, usual in (("DOMAINS", "1000"), ("MAILBOXES", "10000"), ("ROWS", "1000000")))
RUNS = int(os.environ.get("RUNS", "20"))
ADMIN = "root@firma-0.test"
LISTS = ["domains", "users", "aliases", "trace", "queue", "queue/destinations", "routes", "settings", "certificates", "alerts", "audit", "sign-ins",
         "blocks", "tokens", "logs", "status", "history?span=hour", "history?span=year", "domains/firma-7.test", "domains/firma-7.test/dns",
         "users?domain=firma-7.test", "users?sort=used", "users?sort=sent&search=anna", "domains?sort=mailboxes", "domains?sort=created", "aliases?sort=targets", "queue?sort=newest", "queue/destinations?sort=waiting",
         "sign-ins?sort=count", "trace?address=anna.7310@firma-310.test", "trace?message_id=249990@elsewhere.test",
         "trace?message_id=17@elsewhere.test", "trace?state=failed"]
SEARCHES = [("users?search=", "anna.73"), ("users?search=", "jonas.9999"), ("domains?search=", "firma-99"), ("aliases?search=", "post.998"),
            ("trace?address=", "kunde-4999")]
PAGES = ["/", "/domains", "/mailboxes", "/aliases", "/trace", "/queue", "/security/audit", "/settings"]


class Client:
    """A browser's session, as the panel has it."""

    def __init__(self, server):
        self.connection = http.client.HTTPSConnection("localhost", server.ports["https"], context=ssl._create_unverified_context(), timeout=120)
        self.fields = {"X-Posthus-Panel": "1", "Content-Type": "application/json"}
        status, _, cookie = self.call("POST", "session", {"login": ADMIN, "password": PASSWORD})
        assert status < 300, status
        self.fields["Cookie"] = cookie.split(";")[0]

    def call(self, method, path, body=None):
        self.connection.request(method, "/api/v1/" + path, body and json.dumps(body), self.fields)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, text, answer.getheader("Set-Cookie") or ""

    def timed(self, path):
        begun = time.perf_counter()
        status, text, _ = self.call("GET", path)
        took = (time.perf_counter() - begun) * 1000
        assert status == 200, (path, status, text[:200])
        return took, text


def at_rest(server):
    """Medians of ten looks in five seconds."""
    looks = []
    for _ in range(10):
        time.sleep(0.5)
        looks.append(resident_mib(server.process.pid))
    return {name: statistics.median(look[name] for look in looks) for name in looks[0]}


def told(when, memory):
    print("| %s | %.1f | %.1f | %.1f |" % (when, memory["VmRSS"], memory["RssAnon"], memory["RssFile"]), flush=True)


def told_peaks(when, watched):
    peaks, looks = watched.most()
    told("most during %s, of %d looks" % (when, looks), peaks)


def lists(client):
    print("\n| list | first time | median of %d | rows |" % RUNS)
    print("| --- | --- | --- | --- |")
    for path in LISTS:
        first, text = client.timed(path)
        rows = next((len(value) for value in json.loads(text).values() if isinstance(value, list)), 0)
        print("| %s | %.1f ms | %.1f ms | %d |" % (path, first, statistics.median(client.timed(path)[0] for _ in range(RUNS)), rows), flush=True)


def searches(client):
    print("\n| typed | slowest letter | rows at the end |")
    print("| --- | --- | --- |")
    for path, word in SEARCHES:
        slowest, text = 0.0, ""
        for i in range(1, len(word) + 1):
            took, text = client.timed(path + urllib.parse.quote(word[:i]))
            slowest = max(slowest, took)
        answer = json.loads(text)
        print("| %s%s | %.1f ms | %d%s |" % (path, word, slowest, next(len(v) for v in answer.values() if isinstance(v, list)),
                                          ", more to look at" if answer.get("next") else ""), flush=True)


def browser(server):
    page = Page("https://localhost:%d" % server.ports["https"], tempfile.mkdtemp())
    try:
        page.sign_in(ADMIN, PASSWORD)
        print("\n| page | first contentful paint | its content is there |")
        print("| --- | --- | --- |")
        for path in PAGES:
            paints, ends = [], []
            for _ in range(5):
                page.browser.get("about:blank")
                page.open(path)
                paints.append(page.browser.execute_script("return performance.getEntriesByName('first-contentful-paint')[0].startTime"))
                ends.append(page.browser.execute_script(
                    "return Math.max(...performance.getEntriesByType('resource').filter(r => r.name.includes('/api/')).map(r => r.responseEnd), 0)"))
            print("| %s | %.0f ms | %.0f ms |" % (path, statistics.median(paints), statistics.median(ends)), flush=True)
    finally:
        page.close()


def main():
    build = sys.argv[1]
    directory = tempfile.mkdtemp(prefix="posthus-panel-", dir=os.environ.get("BENCH_DIR"))
    os.makedirs(directory + "/data")
    subprocess.run([build + "/tests/bench_panel_fill", directory + "/data", DOMAINS, MAILBOXES, ROWS], check=True)
    with PosthusServer(build + "/posthus", directory) as server:
        server.add_user(ADMIN, PASSWORD, "--admin")
        server.stop()  # WHY: what the store keeps of these commits would make the idle server look larger, and its use smaller
        server.start()
        with Watched(server.process.pid) as watched:
            idle = at_rest(server)
            watched.most()
            print("\n| memory, MiB | resident (VmRSS) | its own (RssAnon) | mapped files (RssFile) |\n| --- | --- | --- | --- |")
            told("idle", idle)
            client = Client(server)
            told_peaks("signing in", watched)
            told("signed in", at_rest(server))
            watched.most()
            lists(client)
            told_peaks("every list", watched)
            searches(client)
            told_peaks("searches", watched)
            browser(server)
            told_peaks("the browser", watched)
            after = at_rest(server)
            told("after all", after)
            print("\nResident after all, more than idle: %.1f MiB" % (after["VmRSS"] - idle["VmRSS"]))
    subprocess.run(["rm", "-rf", directory], check=True)


main()
