"""What a domain may send in a day, and what its addresses may forward: refused beyond it, shown, and told to those who look after it."""
import smtplib

import mail
from outgoing_scene import PASSWORD, PlainHost, Site, wait_for

HERE, THERE = "127.0.0.2", "127.0.0.3"


def refusal(hand_in):
    try:
        hand_in()
    except smtplib.SMTPRecipientsRefused as error:
        return [(code, text.decode()) for code, text in error.recipients.values()][0]
    return None


def told(site, user, words):
    return [m for m in site.inbox(user) if words in str(m["Subject"])]


def test_a_domain_sends_no_more_than_it_may_and_its_admins_are_told(scene):
    with PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        cli = here.server.cli
        for user in ("root", "chief"):
            cli("user", "add", user + "@here.test", "--password-stdin", stdin=PASSWORD + "\n")
        cli("user", "role", "root@here.test", "server_admin")
        cli("user", "role", "chief@here.test", "domain_admin", "--domain", "here.test")
        here.set("alerts.interval_seconds", "1")
        here.route("*", ("smtp://%s:%d" % (THERE, there.port)))
        cli("domain", "limits", "here.test", "--messages", "2")
        markers = [here.send("ben@there.test"), here.send("ben@there.test")]
        code, text = refusal(lambda: here.send("ben@there.test"))
        assert code == 452 and "Your domain has sent as many messages" in text, (code, text)
        here.wait_for_mail(here.send(here.user))  # mail between people here is not counted
        for user in ("root@here.test", "chief@here.test"):
            wait_for(lambda: told(here, user, "may send no more mail"), "%s is told" % user)
        sending = here.call("GET", "/api/v1/domains/here.test")["sending"]
        assert (sending["messages_today"], sending["messages_limit"]) == (2, 2), sending
        assert [(a["kind"], a["subject"]) for a in here.server.cli_json("alert", "list")["items"]] == [("limit", "here.test")]
        cli("domain", "limits", "here.test", "--messages", "default")
        markers.append(here.send("ben@there.test"))
        for marker in markers:
            there.wait_for_mail(marker)
        wait_for(lambda: not here.server.cli_json("alert", "list")["items"], "the alert is over")


def test_what_is_forwarded_counts_for_who_forwards_and_not_for_a_stranger(scene):
    def hand_in(recipient):
        with smtplib.SMTP(HERE, here.smtp_port, local_hostname="out.test") as client:
            marker = mail.unique()
            client.sendmail("stranger@out.test", [recipient], mail.message(marker, sender="stranger@out.test", to=recipient))
            return marker

    with PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        here.route("*", ("smtp://%s:%d" % (THERE, there.port)))
        here.server.cli("alias", "add", "list@here.test", "cara@there.test")
        here.server.cli("alias", "add", "news@here.test", "cara@there.test")
        here.set("limits.forwards_per_day", "2")
        markers = [hand_in("list@here.test"), hand_in("list@here.test")]
        code, text = refusal(lambda: hand_in("list@here.test"))
        assert code == 452 and "has been forwarded" in text, (code, text)
        markers.append(hand_in("news@here.test"))
        here.wait_for_mail(hand_in(here.user))
        for marker in markers:
            there.wait_for_mail(marker)
        assert here.call("GET", "/api/v1/domains/here.test")["sending"]["forwards_today"] == 3
