"""Lists in the order somebody wants, and what is found where."""
from selenium.webdriver.common.keys import Keys

from panel_scene import ANNA


def names(page):
    return [one.text.split("\n")[0] for one in page.all("tbody .main-cell")]


def sorted_by(page):
    return [one.text for one in page.all("th[aria-sort]")]


def test_domains_are_sorted_by_their_heads(page, site):
    page.open("/domains")
    page.until(lambda: names(page) == ["brandt-elektro.test", "nordlys.test", "tveit.test"], "by name")
    assert sorted_by(page) == ["Domain ↑"], sorted_by(page)
    page.press("Mailboxes", "thead")
    page.until(lambda: names(page) == ["nordlys.test", "brandt-elektro.test", "tveit.test"], "the largest first")
    assert page.browser.current_url.endswith("/domains?sort=mailboxes"), page.browser.current_url
    assert sorted_by(page) == ["Mailboxes ↓"], sorted_by(page)
    page.press("Mailboxes: brandt-elektro.test, 6")
    page.until(lambda: len(page.all("tbody tr")) == 6, "its mailboxes")
    page.browser.back()
    page.until(lambda: names(page)[:1] == ["nordlys.test"], "the order stands in the address")


def test_aliases_groups_and_the_queue_are_sorted(page, site):
    page.open("/aliases?sort=targets")
    page.until(lambda: names(page)[:1] == ["post@nordlys.test"], "most targets first: %s" % names(page))
    page.open("/groups?sort=members")
    page.until(lambda: names(page)[:1] == [name for name in names(page) if name.startswith("Das Team")], "most members first")
    page.open("/queue")
    page.until(lambda: names(page)[:1] == ["kunde-post.test"], "most waiting first")
    page.press("Destination", "thead")
    page.until(lambda: names(page) == sorted(names(page)) and sorted_by(page) == ["Destination ↑"], "by name")
    page.open("/queue?view=mail&sort=newest")
    newest = page.until(lambda: names(page), "the messages")
    page.open("/queue?view=mail")
    page.until(lambda: len(names(page)) == len(newest) and len(newest) > 1, "the same, oldest first")
    page.open("/security/sign-ins?sort=count")
    page.says("Most frequent first")


def test_mail_is_found_by_what_became_of_it(page, site):
    page.open("/trace?state=failed")
    page.until(lambda: len(page.all("tbody tr")) == 1, "the one that failed")
    page.says("Old address")
    page.open("/trace?state=waiting&find=liefertermin")
    page.until(lambda: len(page.all("tbody tr")) == 1, "one that waits")
    page.open("/trace?state=delivered&find=liefertermin")
    page.says("Nothing found")


def test_a_report_that_lies_in_the_inbox_waits_for_nobody(page, site):
    reports = [one for one in site.call("GET", "/api/v1/trace?limit=100")["items"] if one["first"].get("detail", "").startswith("report on")]
    assert reports[0]["first"]["recipients"] == [{"recipient": ANNA, "event": "delivered"}], reports
    page.open("/trace/" + reports[0]["id"])
    page.until(lambda: page.one("h1").text == "Delivered", "where it is")


def test_what_only_a_restart_changes_is_told_with_its_place(page, site):
    page.open("/settings?find=hostname")
    page.says("Set at the start")
    page.says("POSTHUS_HOSTNAME")


def test_groups_and_aliases_are_one_key_away(page, site):
    page.open("/")
    page.one("body").send_keys(Keys.CONTROL, "k")
    page.type("dialog input", "das team")
    page.until(lambda: any("team@nordlys.test" in one.text for one in page.all("dialog [role=option]")), "the group")
    page.one("dialog input").send_keys(Keys.ENTER)
    page.until(lambda: "/groups?find=team%40nordlys.test" in page.browser.current_url, "its page")
    page.one("body").send_keys(Keys.CONTROL, "k")
    page.type("dialog input", "post@nord")
    page.until(lambda: any("post@nordlys.test →" in one.text for one in page.all("dialog [role=option]")), "the alias")


def test_one_sees_ones_own_folders(page, site):
    page.open("/me")
    page.press_summary("By folder")
    page.until(lambda: names(page)[:1] == ["Inbox"], "the largest first")
    assert page.all("tbody tr")[0].text.count("kB") == 1, page.all("tbody tr")[0].text


test_one_sees_ones_own_folders.login = ANNA
