#!/usr/bin/python3
"""The panel in headless Chromium against a real server with real data.

usage: run.py POSTHUS [NAME-PART]    prints "ok NAME" or "not ok NAME" per test; exit 1 when one failed. Pictures of every page in
both themes and three widths go to build/browser. Packages: python3-selenium, chromium, chromium-driver.
       run.py POSTHUS --screenshots  makes the pictures of README.md, in docs.
"""
import multiprocessing
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import bad_day_test  # noqa: E402
import identity_test  # noqa: E402
import lists_test  # noqa: E402
import looks_test  # noqa: E402
import passkeys_test  # noqa: E402
import shared_use_test  # noqa: E402
import tasks_test  # noqa: E402
import wizard_test  # noqa: E402
from panel_scene import ADMIN, Page, PanelSite  # noqa: E402

SHOTS = os.path.join(HERE, "..", "..", "build", "browser")
# Each group has a server and a browser of its own; groups run side by side.
GROUPS = [[tasks_test, shared_use_test, identity_test, passkeys_test, bad_day_test], [looks_test, lists_test, wizard_test]]

# An interface came or went (containers do that): the browser breaks off what is on its way, and the panel asks again.
OF_THE_MACHINE = ("ERR_NETWORK_CHANGED",)
DOCS = os.path.join(HERE, "..", "..", "docs")


def screenshots(binary):
    os.makedirs(DOCS, exist_ok=True)
    with PanelSite(binary, evil="") as site:
        site.fill()
        page = Page("https://localhost:%d" % site.server.ports["https"], DOCS)
        try:
            page.size(1280, 800)
            page.sign_in()
            for name, path, theme, height in (("panel-overview", "/", "light", 780), ("panel-message", "/trace/" + looks_test.message(site, "Rechnung 2026-1183"), "light", 640),
                                      ("panel-queue", "/queue", "dark", 640)):
                page.theme(theme)
                page.open(path)
                page.shot(name, height)
        finally:
            page.close()


def main():
    if sys.argv[2:] == ["--screenshots"]:
        return screenshots(sys.argv[1])
    binary, part = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    os.makedirs(SHOTS, exist_ok=True)
    groups = [group for group in GROUPS if any(named(module, part) for module in group)]
    # WHY processes: each has a driver, a console and a clock of its own. Their lines come whole, for they are flushed whole.
    running = [multiprocessing.get_context("fork").Process(target=run_group, args=(binary, part, group)) for group in groups]
    for one in running:
        one.start()
    for one in running:
        one.join()
    sys.exit(0 if running and all(one.exitcode == 0 for one in running) else 1)


def named(module, part):
    return [name for name in dir(module) if name.startswith("test_") and part in name]


def run_group(binary, part, modules):
    failures = 0
    with PanelSite(binary) as site:
        site.fill()
        identity_test.prepare(site)
        passkeys_test.prepare(site)
        page = Page("https://localhost:%d" % site.server.ports["https"], SHOTS)
        try:
            for module in modules:
                for name in named(module, part):
                    failures += run(page, site, "%s.%s" % (module.__name__, name), getattr(module, name))
        finally:
            page.close()
    sys.exit(1 if failures else 0)


def run(page, site, name, function):
    begun = time.monotonic()
    try:
        page.sign_out()
        page.size(1440)
        page.theme("light")
        page.console()
        page.sign_in(getattr(function, "login", ADMIN))
        function(page, site)
        faults = [line for line in page.console() if not any(word in line for word in getattr(function, "expected", ()) + OF_THE_MACHINE)]
        assert not faults, "the console says: " + "; ".join(faults)
        assert "owned" not in page.browser.title, "hostile text ran"
        print("ok %s (%.1f s)" % (name, time.monotonic() - begun), flush=True)
        return 0
    except Exception:  # a failed assertion or anything else fails this test only
        traceback.print_exc(file=sys.stdout)
        try:
            page.shot("failed-" + name)
        except Exception:
            traceback.print_exc(file=sys.stdout)
        print("not ok " + name, flush=True)
        return 1


if __name__ == "__main__":
    main()
