"""Each page's main task, done as a person would."""
import os
import re
import subprocess
import tempfile
import urllib.request

from selenium.webdriver.common.keys import Keys

from panel_scene import ADMIN, ANNA, PASSWORD, wait_for


def certificate(hostname):
    """One that signs itself, and its key, in PEM."""
    with tempfile.TemporaryDirectory() as directory:
        chain, key = os.path.join(directory, "chain"), os.path.join(directory, "key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                        "-subj", "/CN=" + hostname, "-addext", "subjectAltName=DNS:" + hostname, "-out", chain, "-keyout", key],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(chain, encoding="ascii") as first, open(key, encoding="ascii") as second:
            return first.read(), second.read()


def user(site, address):
    return site.call("GET", "/api/v1/users/" + address)


def test_sign_in_says_what_is_wrong_and_leads_where_one_wanted(page, site):
    page.sign_out()
    page.browser.get(page.origin + "/queue?view=mail")
    page.type("input[type=email]", ADMIN)
    page.type("input[autocomplete=current-password]", "wrong")
    page.one("button.primary").click()
    page.says("do not match")
    page.type("input[autocomplete=current-password]", PASSWORD)
    page.one("button.primary").click()
    page.one("nav.nav")
    assert page.browser.current_url.endswith("/queue?view=mail"), page.browser.current_url
    page.press("Sign out")
    page.one("input[type=email]")


test_sign_in_says_what_is_wrong_and_leads_where_one_wanted.expected = ("401",)


def test_overview_tells_what_needs_somebody(page, site):
    page.says("need you")
    page.says("ole.tveit@nordlys.test")
    page.says("kunde-post.test")
    page.press("Review")
    page.until(lambda: page.browser.current_url.endswith("/security"), "the accounts on hold")
    page.says("is on hold")


def test_a_proxy_nobody_has_named_is_told_with_what_to_do(page, site):
    request = urllib.request.Request("http://127.0.0.1:%d/healthz" % site.server.ports["http"], headers={"X-Forwarded-For": "203.0.113.9"})
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).close()
    page.open("/")
    page.says("An unknown proxy brings people here: 127.0.0.1")
    page.says("POSTHUS_PROXY_HTTP_ADDRESSES")
    page.go("/about")
    page.says("How clients reach this server")


def test_figures_over_time_are_drawn_and_told_as_a_table(page, site):
    page.until(lambda: len(page.all(".plot canvas")) == 6, "six charts")
    page.press("Month", "main")
    page.until(lambda: page.browser.current_url.endswith("?span=month"), "a place of its own")
    page.one(".figure summary").click()
    page.until(lambda: "Received" in page.one(".figure table").text, "the table")
    page.theme("dark")
    page.until(lambda: len(page.all(".plot canvas")) == 6, "the charts in the dark")


def test_mailbox_is_made_changed_and_deleted(page, site):
    page.open("/mailboxes")
    page.press("New mailbox")
    page.type("dialog input[name=address]", "nina@nordlys.test")
    page.type("dialog input[name=new-password]", "short")
    page.press("Make mailbox", "dialog")
    page.says("8 to 1024")
    page.type("dialog input[name=new-password]", PASSWORD)
    page.type("dialog input[name=quota]", "2 GB")
    page.press("Make mailbox", "dialog")
    page.until(lambda: page.browser.current_url.endswith("/mailboxes/nina%40nordlys.test"), "the new mailbox")
    page.says("nina@nordlys.test")
    assert user(site, "nina@nordlys.test")["quota_bytes"] == 2_000_000_000
    page.press("Disable")
    page.press("Disable", "dialog")
    wait_for(lambda: user(site, "nina@nordlys.test")["disabled"], "disabled")
    page.press("Undo")
    wait_for(lambda: not user(site, "nina@nordlys.test")["disabled"], "undone")
    page.press("Delete …")
    page.type("dialog input", "nina@nordlys.tes")
    assert not page.button("Delete", "dialog").is_enabled()
    page.one("dialog input").send_keys("t")
    page.press("Delete", "dialog")
    page.until(lambda: page.browser.current_url.endswith("/mailboxes"), "the list")
    assert not [one for one in site.call("GET", "/api/v1/users?search=nina")["items"]]


test_mailbox_is_made_changed_and_deleted.expected = ("400",)


def test_mailbox_gets_another_address_and_keeps_the_old_one(page, site):
    site.call("POST", "/api/v1/users", {"address": "eva.lund@nordlys.test", "password": PASSWORD})
    page.open("/mailboxes/eva.lund@nordlys.test")
    page.press("Change address")
    page.type("dialog input[name=address]", ANNA)
    page.press("Change address", "dialog")
    page.says("exists already")
    page.type("dialog input[name=address]", "eva.dahl@nordlys.test")
    page.shot("mailbox-rename")
    page.press("Change address", "dialog")
    page.until(lambda: page.browser.current_url.endswith("/mailboxes/eva.dahl%40nordlys.test"), "the page of the new address")
    page.says("eva.lund@nordlys.test")  # it goes on receiving for her
    assert user(site, "eva.dahl@nordlys.test")["has_password"]
    page.leave()
    site.call("DELETE", "/api/v1/users/eva.dahl@nordlys.test")
    site.call("DELETE", "/api/v1/aliases/eva.lund@nordlys.test")


test_mailbox_gets_another_address_and_keeps_the_old_one.expected = ("409",)


def test_mailboxes_are_disabled_and_deleted_together(page, site):
    for i in range(3):
        site.call("POST", "/api/v1/users", {"address": "leaver%d@tveit.test" % i})
    page.open("/mailboxes?find=leaver")
    page.check("Select: leaver0@tveit.test")
    page.check("Select: leaver1@tveit.test")
    page.press("Disable", ".bulk")
    page.press("Disable", "dialog")
    wait_for(lambda: user(site, "leaver1@tveit.test")["disabled"], "disabled")
    page.until(lambda: not page.all("dialog"), "the end of the dialog")
    assert not user(site, "leaver2@tveit.test")["disabled"]
    page.check("Select all on this page")
    page.press("Delete …", ".bulk")
    assert not page.button("Delete", "dialog").is_enabled()
    page.type("dialog input", "3")
    page.press("Delete", "dialog")
    page.says("Nothing found")
    assert not site.call("GET", "/api/v1/users?search=leaver")["items"]


def test_lists_go_out_and_come_in_as_csv(page, site):
    page.open("/mailboxes?find=lena")
    page.press("Export")
    exported = page.downloaded("users.csv")
    assert exported.startswith("address,password,quota_bytes,forward_to,keeps_copy,disabled,shared\r\nlena.vogel@nordlys.test,,"), exported
    page.press("Import")
    page.upload("dialog input[type=file]", "new.csv", "address;password;quota_bytes\r\nnew.one@tveit.test;%s;2 GB\r\nnobody;;\r\n\r\nanna@nordlys.test;;\r\nANNA@nordlys.test;;\r\n" % PASSWORD)
    page.says("2 rows are ready")
    page.says("2 lines are left out: 3, 6")
    page.press("Add them", "dialog")
    page.says("1 of 2 are done")
    page.says("That does not fit what is there already")
    page.press("Close", "dialog")
    assert user(site, "new.one@tveit.test")["quota_bytes"] == 2_000_000_000
    page.leave()
    site.call("DELETE", "/api/v1/users/new.one@tveit.test")
    page.open("/aliases")
    page.press("Export")
    assert "'@tveit.test,marte@brandt-elektro.test" in page.downloaded("aliases.csv")


test_lists_go_out_and_come_in_as_csv.expected = ("409",)


def test_mailboxes_are_found_while_typing_and_paged(page, site):
    page.open("/mailboxes")
    page.says("25 on this page")
    page.press("Next")
    page.until(lambda: "after=" in page.browser.current_url, "the next page")
    page.press("Back")
    page.type("input[type=search]", "tveit")
    page.until(lambda: "ole.tveit@nordlys.test" in page.text() and "anna@nordlys.test" not in page.text(), "only what was searched")
    page.open("/mailboxes?state=held")
    page.says("ole.tveit@nordlys.test")
    assert len(page.all("tbody tr")) == 1


def test_lists_are_used_by_keyboard(page, site):
    page.open("/mailboxes?find=brandt")
    first, second = page.all("tbody a.title")[:2]
    address = second.text
    first.send_keys(Keys.ARROW_DOWN)
    focused = page.browser.switch_to.active_element
    assert focused.text == address, focused.text
    page.all("tbody input")[0].send_keys(Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.SPACE)
    page.says("1 selected")
    second.send_keys(Keys.ENTER)
    page.until(lambda: page.one("h1").text == address, "the mailbox")


def test_mailbox_settings_are_saved(page, site):
    page.open("/mailboxes/lena.vogel%40nordlys.test")
    page.press("Change", "main")
    page.type("dialog input[name=quota]", "5 GB")
    page.type("dialog input[name=forward]", "lena@elsewhere.test")
    page.type("dialog input[name=recipients]", "50")
    page.type("dialog input[name=retention]", "x")
    page.press("Save", "dialog")
    page.says("A number of days")
    page.type("dialog input[name=retention]", "90")
    page.press("Save", "dialog")
    wait_for(lambda: user(site, "lena.vogel@nordlys.test")["forward_to"] == ["lena@elsewhere.test"], "the forward")
    assert user(site, "lena.vogel@nordlys.test")["quota_bytes"] == 5_000_000_000
    assert user(site, "lena.vogel@nordlys.test")["pop3_retention_days"] == 90
    assert user(site, "lena.vogel@nordlys.test")["new_recipients_per_day"] == 50
    page.says("lena@elsewhere.test")


def test_account_on_hold_is_released(page, site):
    page.open("/security")
    page.press("Release: ole.tveit@nordlys.test")
    wait_for(lambda: not user(site, "ole.tveit@nordlys.test")["sending"]["held"], "released")
    page.until(lambda: "ole.tveit@nordlys.test" not in page.one("main").text, "an empty list")
    site.call("POST", "/api/v1/users/ole.tveit@nordlys.test/hold", {"reason": "214 copies in ten minutes <img src=x onerror=document.title='owned'>"})


def test_release_on_the_page_of_a_mailbox_can_be_undone(page, site):
    page.open("/mailboxes/ole.tveit%40nordlys.test")
    page.press("Release", "main")
    wait_for(lambda: not user(site, "ole.tveit@nordlys.test")["sending"]["held"], "released")
    page.press("Undo", ".toasts")
    wait_for(lambda: user(site, "ole.tveit@nordlys.test")["sending"]["held"], "on hold again")


def test_domain_is_made_and_deleted(page, site):
    page.open("/domains")
    page.press("New domain")
    page.type("dialog input", "fjord.test")
    page.press("Add", "dialog")
    page.until(lambda: "/domains/fjord.test" in page.browser.current_url, "the domain")
    page.open("/domains/fjord.test/keys")
    page.says("_domainkey.fjord.test")
    page.leave()
    site.call("PATCH", "/api/v1/domains/fjord.test", {"default_quota_bytes": 1_073_741_824})
    page.open("/domains/fjord.test/settings")
    page.type("input[name=retention]", "30")
    page.press("Save")
    wait_for(lambda: site.call("GET", "/api/v1/domains/fjord.test")["pop3_retention_days"] == 30, "how long mail is kept")
    assert site.call("GET", "/api/v1/domains/fjord.test")["default_quota_bytes"] == 1_073_741_824, "what nobody touched"
    page.press("Delete …")
    page.type("dialog input", "fjord.test")
    page.press("Delete", "dialog")
    wait_for(lambda: "fjord.test" not in [one["name"] for one in site.call("GET", "/api/v1/domains")["items"]], "deleted")


def routes(site):
    return {one["name"]: one["hops"] for one in site.call("GET", "/api/v1/routes")["items"]}


def test_mail_of_one_domain_gets_a_route(page, site):
    page.open("/domains/tveit.test/settings")
    page.says("Mail from tveit.test")
    page.press("New route …")
    page.type("dialog input[name=hops]", "smtp://relay.elsewhere.test:587")
    page.press("Save", "dialog")
    page.says("smtp://relay.elsewhere.test:587")
    assert routes(site)["from:tveit.test"] == ["smtp://relay.elsewhere.test:587"]
    page.shot("domain-route")
    page.press("Delete the route …")
    page.press("Delete", "dialog")
    wait_for(lambda: "from:tveit.test" not in routes(site), "deleted")


def test_domain_of_another_server_is_made_and_changed(page, site):
    page.open("/domains")
    page.press("New domain")
    page.type("dialog input[name=domain]", "annet.test")
    page.choose("dialog select", "relay")
    page.says("while that is away, it is kept here")
    page.shot("domain-new-relay")
    page.press("Add", "dialog")
    page.until(lambda: "/domains/annet.test" in page.browser.current_url, "the domain")
    made = site.call("GET", "/api/v1/domains/annet.test")
    assert made["kind"] == "relay" and not made["check_recipients"], made
    page.open("/domains/annet.test/settings")
    page.choose("form select", "yes")
    page.press("Save")
    wait_for(lambda: site.call("GET", "/api/v1/domains/annet.test")["check_recipients"], "asked")
    page.press("New route …")
    page.type("dialog input[name=hops]", "smtp://primary.annet.test:25")
    page.press("Save", "dialog")
    page.says("smtp://primary.annet.test:25")
    assert routes(site)["annet.test"] == ["smtp://primary.annet.test:25"]
    page.shot("domain-relay")
    page.leave()
    site.call("DELETE", "/api/v1/routes/annet.test")
    site.call("DELETE", "/api/v1/domains/annet.test")


def test_domain_gets_another_name_and_keeps_the_old_one(page, site):
    site.call("POST", "/api/v1/domains", {"name": "gammel.test"})
    site.call("POST", "/api/v1/users", {"address": "siri@gammel.test", "password": PASSWORD})
    page.open("/domains/gammel.test/settings")
    page.press("Rename …")
    page.says("becomes an alias")
    page.type("dialog input[name=domain]", "nordlys.test")
    page.press("Rename", "dialog")
    page.says("exists already")
    page.type("dialog input[name=domain]", "fersk.test")
    page.shot("domain-rename")
    page.press("Rename", "dialog")
    page.until(lambda: page.browser.current_url.endswith("/domains/fersk.test/settings"), "the page of the new name")
    assert user(site, "siri@fersk.test")["has_password"]
    page.open("/domains?find=gammel")
    page.says("Alias of fersk.test")
    page.open("/domains/gammel.test/settings")
    page.says("another name of fersk.test")
    page.shot("domain-alias")
    site.call("DELETE", "/api/v1/users/siri@fersk.test")
    page.press("Delete …")
    page.type("dialog input", "gammel.test")
    page.press("Delete", "dialog")
    wait_for(lambda: "gammel.test" not in [one["name"] for one in site.call("GET", "/api/v1/domains")["items"]], "deleted")
    page.open("/domains")
    page.press("New domain")
    page.type("dialog input[name=domain]", "ogsaa.test")
    page.choose("dialog select", "alias")
    page.type("dialog input[name=alias-of]", "fersk.test")
    page.shot("domain-new-alias")
    page.press("Add", "dialog")
    page.until(lambda: "/domains/ogsaa.test" in page.browser.current_url, "the further name")
    page.leave()
    for name in ("ogsaa.test", "fersk.test"):
        site.call("DELETE", "/api/v1/domains/" + name)


test_domain_gets_another_name_and_keeps_the_old_one.expected = ("409",)


def test_addresses_of_ones_own_are_made_where_the_domain_lets_one(page, site):
    page.open("/domains/nordlys.test/settings")
    page.type("input[name=own-limit]", "2")
    page.press("Save")
    wait_for(lambda: site.call("GET", "/api/v1/domains/nordlys.test")["own_aliases"] == 2, "allowed")
    page.shot("domain-own-aliases")
    page.sign_out()
    page.sign_in(ANNA)
    page.open("/me")
    page.says("Addresses of your own")
    page.press("New address")
    page.type("dialog input[name=own-alias]", "postmaster")
    page.press("Save", "dialog")
    page.says("kept for whoever looks after the domain")
    page.type("dialog input[name=own-alias]", "annas.laden")
    page.press("Save", "dialog")
    page.says("annas.laden@nordlys.test")
    page.shot("me-own-aliases")
    assert site.call("GET", "/api/v1/aliases/annas.laden@nordlys.test")["own"]
    page.press("Delete: annas.laden@nordlys.test")
    page.press("Delete", "dialog")
    wait_for(lambda: not site.call("GET", "/api/v1/aliases?search=annas.laden")["items"], "deleted")
    page.until(lambda: not page.all("[aria-label='Delete: annas.laden@nordlys.test']"), "the row is gone")
    page.sign_out()
    page.sign_in()
    site.call("PATCH", "/api/v1/domains/nordlys.test", {"own_aliases": 0})


test_addresses_of_ones_own_are_made_where_the_domain_lets_one.expected = ("409",)


def test_progress_of_checks_is_told(page, site):
    site.call("PUT", "/api/v1/settings/delivery.probe_hosts", {"value": "mx1.far.test, mx2.far.test, mx3.far.test"})
    for path, address in (("/domains/nordlys.test", "/api/v1/domains/nordlys.test/dns/check"), ("/delivery", "/api/v1/delivery-check/progress")):
        page.open(path)
        page.until(lambda: [one for one in page.all("button.primary") if one.text.strip() in ("Check now", "Check again")], "the button")[0].click()
        # Nobody answers for some seconds: the bar stands where the server says.
        bar = page.until(lambda: next((one for one in page.all("progress") if one.get_attribute("max") not in (None, "1")), None), "a bar with an end")
        told = site.call("GET", address)
        assert told["running"] and 0 <= told["done"] <= told["all"] and told["all"] > 1, told
        assert float(bar.get_attribute("max")) >= 1
        page.says("answers are there")
        page.shot("check-progress" + path.replace("/", "-"))
        page.until(lambda: not page.all("progress"), "the end of the check")
        assert not site.call("GET", address)["running"]
    site.call("DELETE", "/api/v1/settings/delivery.probe_hosts")


def test_alias_is_made_and_deleted(page, site):
    page.open("/aliases")
    page.press("New alias")
    def aliases():
        return [one["targets"] for one in site.call("GET", "/api/v1/aliases?search=butikk")["items"]]
    page.type("dialog input[name=alias]", "butikk@nordlys.test")
    page.type("dialog input[name=targets]", "anna@nordlys.test")
    page.press("Save", "dialog")
    page.press("Delete: butikk@nordlys.test")
    wait_for(lambda: not aliases(), "deleted")
    page.press("Undo")
    wait_for(lambda: aliases() == [["anna@nordlys.test"]], "undone")
    site.call("DELETE", "/api/v1/aliases/butikk@nordlys.test")


def test_mail_is_found_and_its_story_told(page, site):
    page.open("/trace")
    page.says("report (no sender)")
    reports = [row.text for row in page.all("tbody tr") if "report (no sender)" in row.text]
    assert reports and all("Delivered" in one for one in reports), reports  # a report goes into an inbox here at once
    page.type("input[type=search]", "rechnung 2026")
    assert page.one("input[type=search]").get_attribute("value") == "rechnung 2026"
    page.until(lambda: len(page.all("tbody tr")) == 1, "one message")
    page.press("Rechnung 2026-1183")
    page.says("could not be reached")
    page.says("In the inbox of ingrid@nordlys.test")
    page.says("Next attempt")
    page.open("/trace?find=nobody%40gone.test")
    page.press("Old address")
    page.says("There is no such mailbox")
    for summary in page.all("summary"):
        summary.click()
    page.says("550 5.1.1 No such user")


def menu_acts_on_enter_only(page):
    """Opened by keys, looked through, left, opened again; the dialog of "Other route" is there then."""
    def here():
        return page.browser.switch_to.active_element
    page.size(360)
    button = page.one("tbody [aria-haspopup=menu]")
    page.browser.execute_script("arguments[0].focus(); arguments[0].scrollIntoView({block: 'center'})", button)
    here().send_keys(Keys.ENTER)
    page.until(lambda: here().get_attribute("role") == "menuitem", "the first choice")
    page.shot("queue-menu-360")
    assert page.overflow() <= 0 and not page.axe(), page.axe()
    here().send_keys(Keys.ARROW_DOWN)
    here().send_keys(Keys.ARROW_UP)
    assert not page.all("dialog"), "an arrow key has acted"
    here().send_keys(Keys.ESCAPE)
    page.until(lambda: not page.all("[role=menu]") and here() == button, "the focus at the button")
    page.size(1440)
    here().send_keys(Keys.ENTER)
    page.until(lambda: here().get_attribute("role") == "menuitem", "the first choice again")
    page.shot("queue-menu-1440")
    here().send_keys(Keys.ENTER)


def test_queue_is_held_released_rerouted_and_cleared(page, site):
    def state(domain):
        return [one["state"] for one in site.queue() if any(to["destination"] == domain for to in one["recipients"])]
    page.open("/queue")
    page.says("Their server could not be reached")
    page.press("Hold: skole.test")
    wait_for(lambda: state("skole.test") == ["held"], "held")
    page.open("/queue?view=mail&state=held")
    page.says("looks like a mistake")
    page.until(lambda: len(page.all("tbody tr")) == 2, "both")
    menu_acts_on_enter_only(page)
    page.type("dialog input", "nonsense")
    page.press("Other route", "dialog")
    page.says("smtp://")
    page.one("dialog input").send_keys(Keys.ESCAPE)
    page.check("Select all on this page")
    page.says("2 selected")
    page.press("Release", ".bulk")
    wait_for(lambda: "held" not in state("skole.test") + state("bigmail.test"), "released")
    site.call("POST", "/api/v1/queue", {"action": "hold", "domain": "bigmail.test", "reason": "looks like a mistake"})
    site.send("temporary@kunde-post.test", marker="To be removed")
    page.open("/trace?find=" + "To%20be%20removed")
    page.press("To be removed")
    page.one("main [aria-haspopup=menu]").click()
    page.press("Remove", "[role=menu]")
    page.press("Remove", "dialog")
    page.says("Removed")


test_queue_is_held_released_rerouted_and_cleared.expected = ("400",)


def test_message_is_tried_now_from_its_page(page, site):
    page.open("/trace?find=Elternabend")
    page.press("Elternabend")
    page.press("Try now: Elternabend", "main")
    page.says("1 recipient")


def test_setting_is_changed_and_given_back(page, site):
    page.open("/settings?find=trace.days")
    page.press("Change: trace.days")
    page.type("dialog input", "many")
    page.press("Save", "dialog")
    page.says("must be a number")
    page.type("dialog input", "45")
    page.press("Save", "dialog")
    wait_for(lambda: site.call("GET", "/api/v1/settings/trace.days")["value"] == "45", "45")
    page.until(lambda: not page.all("dialog"), "the end of the dialog")
    page.press("Change: trace.days")
    page.press("Use the default", "dialog")
    wait_for(lambda: site.call("GET", "/api/v1/settings/trace.days")["value"] is None, "the default")


test_setting_is_changed_and_given_back.expected = ("400",)


def test_certificate_is_uploaded_and_removed(page, site):
    chain, key = certificate("shop.nordlys.test")
    page.open("/security/certificates")
    page.says("This server has no certificate that others trust")
    page.press("Order a certificate")
    assert not page.button("Order", "dialog").is_enabled()
    page.one("dialog input").send_keys(Keys.ESCAPE)
    page.press("Upload")
    page.type("dialog input[name=hostname]", "shop.nordlys.test")
    page.put("dialog textarea[name=chain]", chain)
    page.put("dialog textarea[name=key]", "no key")
    page.press("Upload", "dialog")
    page.says("The server did not accept this")
    page.put("dialog textarea[name=key]", key)
    page.press("Upload", "dialog")
    page.says("shop.nordlys.test")
    wait_for(lambda: [one["state"] for one in site.call("GET", "/api/v1/certificates")["items"]] == ["valid"], "in use")
    page.press("Delete: shop.nordlys.test")
    page.press("Delete", "dialog")
    wait_for(lambda: not site.call("GET", "/api/v1/certificates")["items"], "deleted")


test_certificate_is_uploaded_and_removed.expected = ("400",)


def test_delivery_is_checked_and_a_dry_run_goes_to_the_host(page, site):
    page.open("/delivery")
    page.press("Check now")
    page.says("Check again")
    page.type("input[name=dry-run]", "friend@takes.test")
    page.press("Try it")
    page.says("would be taken")
    page.type("input[name=dry-run]", "nobody@gone.test")
    page.press("Try it")
    page.says("would come back")


def test_device_settings_have_a_code_and_a_profile(page, site):
    page.open("/mailboxes/anna%40nordlys.test/device")
    page.one("svg.qr")
    page.says("Incoming mail (IMAP)")
    page.press("Download the profile")
    assert "anna@nordlys.test" in page.downloaded("nordlys.test.mobileconfig")


def test_token_is_shown_once_and_revoked(page, site):
    page.open("/security/tokens")
    page.press("New token")
    page.type("dialog input", "monitoring")
    page.press("New token", "dialog")
    page.until(lambda: re.search(r"posthus_[0-9a-f]{16}_", page.text()), "the secret")
    page.press("Done", "dialog")
    page.says("monitoring")
    assert "posthus_" not in page.text()
    page.says("Read only")
    page.press("Revoke …")
    page.press("Revoke", "dialog")
    wait_for(lambda: not site.call("GET", "/api/v1/tokens")["items"], "revoked")


def test_route_is_made_and_deleted(page, site):
    page.open("/routes")
    page.press("New route")
    page.type("dialog input[name=route-name]", "partner.test")
    page.type("dialog input[name=hops]", "smtp://127.0.0.1:9")
    page.press("Save", "dialog")
    page.says("partner.test")
    page.press("Change: partner.test")
    page.type("dialog input[name=hops]", "smtp://127.0.0.2:9")
    page.press("Save", "dialog")
    wait_for(lambda: routes(site)["partner.test"] == ["smtp://127.0.0.2:9"], "changed")
    page.press("Delete: partner.test")
    page.press("Delete", "dialog")
    wait_for(lambda: "partner.test" not in [one["name"] for one in site.call("GET", "/api/v1/routes")["items"]], "deleted")


def test_more_routes_than_fit_are_paged(page, site):
    before = set(routes(site))
    page.leave()
    for i in range(26):
        site.call("PUT", "/api/v1/routes/many%02d.test" % i, {"hops": ["smtp://127.0.0.1:9"]})
    page.open("/routes")
    page.until(lambda: page.one("h1").text == "Routes", "a heading without a number")
    page.says("25 on this page")
    page.press("Next")
    page.says("many25.test")
    page.press("Back")
    page.says("25 on this page")
    page.leave()
    for name in set(routes(site)) - before:
        site.call("DELETE", "/api/v1/routes/" + name)


def test_sessions_are_shown_and_ended_and_password_changed(page, site):
    page.says("anna@nordlys.test")
    cookie = page.browser.get_cookie("__Host-posthus")
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict", cookie
    page.sign_out()
    page.sign_in(ANNA)
    page.open("/me")
    page.says("This browser")
    page.press("Sign out all others")
    page.until(lambda: len(page.all(".session")) == 1, "one session")
    page.press("Change password")
    page.type("dialog input[autocomplete=current-password]", "wrong")
    page.type("dialog input[autocomplete=new-password]", PASSWORD)
    page.press("Save", "dialog")
    page.says("The present password is not right")
    page.type("dialog input[autocomplete=current-password]", PASSWORD)
    page.press("Save", "dialog")
    page.until(lambda: not page.all("dialog"), "the end of the dialog")
    page.open("/me")
    page.says("This browser")
    page.browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page.press("Sign out all others")
    page.one("input[type=email]")
    page.says("You were signed out. What you had typed was not saved.")
    assert not page.axe(), page.axe()
    page.size(360)
    page.shot("sign-in-lost-360")
    page.size(1440)
    page.sign_in(ANNA)
    page.press("Sign out", ".nav")
    page.one("input[type=email]")
    assert "You were signed out" not in page.text()


test_sessions_are_shown_and_ended_and_password_changed.login = ANNA
test_sessions_are_shown_and_ended_and_password_changed.expected = ("403", "401")


def test_everything_is_one_key_away(page, site):
    page.one("body").send_keys(Keys.CONTROL, "k")
    page.type("dialog input", "ole.tv")
    page.until(lambda: "ole.tveit@nordlys.test" in page.text(), "the mailbox")
    page.one("dialog input").send_keys(Keys.ENTER)
    page.until(lambda: "/mailboxes/ole.tveit" in page.browser.current_url, "its page")
    for open_it in (lambda: page.browser.switch_to.active_element.send_keys(Keys.CONTROL, "k"), lambda: page.browser.switch_to.active_element.send_keys(Keys.ENTER)):
        page.browser.execute_script("arguments[0].focus()", page.button("Change", "main"))
        open_it()
        page.one("dialog input").send_keys(Keys.ESCAPE)
        page.until(lambda: not page.all("dialog"), "the end")
        page.until(lambda: page.browser.switch_to.active_element.text == "Change", "the focus where it was")


def test_first_page_is_quick_and_small(page, site):
    for path in ("/", "/mailboxes"):
        page.open(path)
        if path == "/":
            page.until(lambda: page.all(".plot canvas"), "the charts")
        first_page(page)


def first_page(page):
    paint = page.browser.execute_script("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
    size = page.browser.execute_script("return performance.getEntriesByType('resource').filter((r) => r.name.endsWith('.js')).reduce((s, r) => s + r.encodedBodySize, 0)")
    print("first contentful paint %d ms, %d bytes of script" % (paint, size), flush=True)
    assert 0 < size <= 60 * 1024, size
    hosts = page.browser.execute_script("return performance.getEntriesByType('resource').map((r) => new URL(r.name).host)")
    assert set(hosts) == {page.origin.split("//")[1]}, hosts
