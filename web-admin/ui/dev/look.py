#!/usr/bin/python3
"""Screenshots of the panel over dev/fake_api.mjs, at three widths and in both themes: look.py BUILD OUT [page ...].
Fails when a page scrolls sideways, when the console has an error, or when hostile data ran."""
import pathlib, subprocess, sys, time
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PAGES = {"overview": "/", "mailboxes": "/mailboxes", "mailbox": "/mailboxes/anna%40nordlys.example", "domains": "/domains", "dns": "/domains/brandt-elektro.example",
         "keys": "/domains/brandt-elektro.example/keys", "domain-settings": "/domains/brandt-elektro.example/settings", "trace": "/trace", "message": "/trace/QUEUE0", "queue": "/queue", "queue-mails": "/queue?view=mail",
         "aliases": "/aliases", "security": "/security", "settings": "/settings", "about": "/about"}
HERE = pathlib.Path(__file__).parent


def serve(build, *more):
    process = subprocess.Popen(["node", HERE / "fake_api.mjs", build, *more], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def look(browser, out, faults, name, url, width, theme):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    browser.get(url)
    WebDriverWait(browser, 15).until(lambda b: b.find_elements(By.CSS_SELECTOR, "h1") and not b.find_elements(By.CSS_SELECTOR, ".loading"))
    for button in browser.find_elements(By.CSS_SELECTOR, ".head .btn.primary") if name == "dns" else []:
        button.click()
        WebDriverWait(browser, 15).until(lambda b: b.find_elements(By.CSS_SELECTOR, ".emblem"))
    height = browser.execute_script("return document.documentElement.scrollHeight")
    sideways = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": min(height, 3000), "deviceScaleFactor": 1, "mobile": width < 500})
    browser.save_screenshot(str(out / f"{name}-{width}-{theme}.png"))
    hidden = browser.execute_script("return [...document.querySelectorAll('.btn.primary')].filter((one) => !one.offsetWidth).length")
    if hidden: faults.append(f"{name} {width}: {hidden} main buttons cannot be seen")
    if sideways > 0: faults.append(f"{name} {width}: scrolls {sideways} px sideways")
    if "owned" in browser.title: faults.append(f"{name}: hostile data ran")
    faults.extend(f"{name}: {line['message']}" for line in browser.get_log("browser"))


def main():
    build, out, wanted = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:] or list(PAGES)
    out.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en"): options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    faults, begun = [], []
    browser = webdriver.Chrome(options=options)
    try:
        for more in ([], ["signed-in"]):
            process, port = serve(build, *more)
            begun.append(process)
            for width, theme in ((1440, "light"), (768, "light"), (360, "dark")):
                for name in (wanted if more else ["sign-in"]): look(browser, out, faults, name, f"http://127.0.0.1:{port}{PAGES.get(name, '/')}", width, theme)
    finally:
        browser.quit()
        for process in begun: process.terminate()
    print("\n".join(sorted(set(faults))) or "no faults")
    return 1 if faults else 0


if __name__ == "__main__": sys.exit(main())
