"""Groups and shared mailboxes, made and used in the panel as a person would."""
from panel_scene import ANNA, PASSWORD, wait_for


def test_a_group_is_made_changed_and_deleted(page, site):
    def groups():
        return [(one["display_name"], one["writers"], one["members"]) for one in site.call("GET", "/api/v1/groups?search=styret")["items"]]
    page.open("/groups")
    page.says("Das Team")
    page.press("New group")
    page.type("dialog input[name=address]", "styret@nordlys.test")
    page.type("dialog input[name=display-name]", "Styret")
    page.choose("dialog select", "members")
    page.says("Members here have to sign in to send")
    page.type("dialog textarea", ANNA + "\nlena@elsewhere.test")
    page.press("Save", "dialog")
    wait_for(lambda: groups() == [("Styret", "members", [ANNA, "lena@elsewhere.test"])], "the group")
    page.press("Change: styret@nordlys.test")
    page.choose("dialog select", "anyone")
    page.press("Save", "dialog")
    wait_for(lambda: groups() and groups()[0][1] == "anyone", "the change")
    page.press("Delete: styret@nordlys.test")
    wait_for(lambda: not groups(), "deleted")
    page.press("Undo")
    wait_for(lambda: groups() == [("Styret", "anyone", [ANNA, "lena@elsewhere.test"])], "undone")
    site.call("DELETE", "/api/v1/groups/styret@nordlys.test")


def test_groups_go_out_and_come_in_as_csv(page, site):
    page.open("/groups?find=alle")
    page.press("Export")
    assert "alle@nordlys.test,,domain,team@nordlys.test" in page.downloaded("groups.csv")
    page.press("Import")
    page.upload("dialog input[type=file]", "new.csv", "address,writers,members\r\nkor@nordlys.test,members,%s x@far.test\r\nbad,nobody,\r\n" % ANNA)
    page.says("1 row is ready")
    page.press("Add them", "dialog")
    wait_for(lambda: site.call("GET", "/api/v1/groups?search=kor%40")["items"], "the group")
    assert site.call("GET", "/api/v1/groups/kor@nordlys.test")["members"] == [ANNA, "x@far.test"]
    site.call("DELETE", "/api/v1/groups/kor@nordlys.test")


def test_a_shared_mailbox_is_made_and_people_let_in(page, site):
    def grants():
        return [(one["address"], one["access"], one["send_as"]) for one in site.call("GET", "/api/v1/users/salg@nordlys.test/delegates")["items"]]
    page.open("/mailboxes")
    page.press("New mailbox")
    page.type("dialog input[name=address]", "salg@nordlys.test")
    page.choose("dialog select", "shared")
    page.until(lambda: not page.all("dialog input[type=password]"), "no password is asked for")
    page.press("Make mailbox", "dialog")
    page.until(lambda: "/mailboxes/salg" in page.browser.current_url, "the mailbox")
    page.says("Shared mailbox")
    page.says("Nobody yet")
    page.press("Add somebody")
    page.type("dialog input[name=delegate]", "nobody@nordlys.test")
    page.press("Save", "dialog")
    page.says("There is no such mailbox")
    page.type("dialog input[name=delegate]", ANNA)
    page.press("Save", "dialog")
    wait_for(lambda: grants() == [(ANNA, "full", True)], "the grant")
    page.press("Change: " + ANNA)
    page.choose("dialog select", "read")
    page.press("Save", "dialog")
    wait_for(lambda: grants() == [(ANNA, "read", False)], "the change")
    page.press("Remove: " + ANNA)
    page.press("Remove", "dialog")
    wait_for(lambda: not grants(), "taken back")
    page.leave()
    site.call("DELETE", "/api/v1/users/salg@nordlys.test")


test_a_shared_mailbox_is_made_and_people_let_in.expected = ("404",)


def test_one_lets_others_in_oneself(page, site):
    site.server.cli("user", "password", "lena.vogel@nordlys.test", "--password-stdin", stdin=PASSWORD + "\n")
    page.sign_out()
    page.sign_in("lena.vogel@nordlys.test", PASSWORD)
    page.open("/me")
    page.says("Also uses")
    page.says("kontakt@nordlys.test")
    page.press("Add somebody")
    page.type("dialog input[name=delegate]", ANNA)
    page.press("Save", "dialog")
    wait_for(lambda: [one["address"] for one in site.call("GET", "/api/v1/users/lena.vogel@nordlys.test/delegates")["items"]] == [ANNA], "the grant")
    page.shot("me-delegates-en")
    site.call("DELETE", "/api/v1/users/lena.vogel@nordlys.test/delegates/" + ANNA)
    page.sign_out()
    page.sign_in()
