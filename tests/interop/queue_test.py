"""What an admin does about mail on its way, from the command line of a running server: hold, release, retry, reroute, bounce, remove;
accounts that suddenly send much; forwarding; reports in the language of the domain; the trace and its search."""
import datetime
import email.policy
import re
import smtplib

import mail
from dns_site import DnsSite
from outgoing_scene import PASSWORD, PlainHost, Site, wait_for
from ports import free_ports

HERE, THERE, OUT = "127.0.0.2", "127.0.0.3", "127.0.0.4"


def hop(address, port):
    return "smtp://%s:%d" % (address, port)


def recipients(site):
    """{destination: (queue id, what `queue list` says of the recipient, of the message)}."""
    return {r["destination"]: (m["id"], r, m) for m in site.queue() for r in m["recipients"]}


def events(site, queue_id):
    return [e["event"] for e in site.server.cli_json("trace", queue_id)["items"]]


def test_an_admin_holds_releases_retries_reroutes_bounces_and_removes(scene):
    names = ["held", "retried", "rerouted", "bounced", "removed", "quick"]
    with PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        cli = here.server.cli
        for name in ("queue.first_retry_seconds", "queue.max_retry_seconds"):
            here.set(name, "86400")
            here.set(name + "@quick.test", "1")
        for name in names:
            here.route(name + ".test", hop(OUT, free_ports(1)[0]))
        markers = {name: here.send("ben@%s.test" % name) for name in names}
        # A domain's own schedule, down to seconds, is its own alone.
        wait_for(lambda: recipients(here)["quick.test"][1]["attempts"] > 2, "attempts for quick.test")
        wait_for(lambda: all(r["attempts"] > 0 for _, r, _ in recipients(here).values()), "an attempt for each")
        assert all(recipients(here)[name + ".test"][1]["attempts"] == 1 for name in names if name != "quick"), here.queue()
        ids = {name: recipients(here)[name + ".test"][0] for name in names}

        cli("queue", "hold", ids["held"], "--reason", "it looks odd")
        shown = here.server.cli_json("queue", "show", ids["held"])
        assert (shown["state"], shown["hold_reason"]) == ("held", "it looks odd"), shown
        for name in names:
            if name != "rerouted":
                here.route(name + ".test", hop(THERE, there.port))
        cli("queue", "retry", ids["retried"])
        there.wait_for_mail(markers["retried"])
        cli("queue", "reroute", ids["rerouted"], "--route", hop(THERE, there.port))
        there.wait_for_mail(markers["rerouted"])
        there.wait_for_mail(markers["quick"])
        cli("queue", "bounce", ids["bounced"])
        report = here.wait_for_report()[0]
        text = " ".join(next(report.iter_parts()).get_content().split())
        assert "ben@bounced.test" in text and "administrator of this server returned" in text, text
        cli("queue", "remove", ids["removed"])
        cli("queue", "retry", ids["held"])  # what is held stays
        assert set(recipients(here)) == {"held.test"}, here.queue()
        cli("queue", "release", ids["held"])
        there.wait_for_mail(markers["held"])
        here.wait_for_empty_queue()
        assert len(there.messages) == 4 and len(here.inbox()) == 1
        for name, event in (("held", "held"), ("held", "released"), ("retried", "retried"), ("rerouted", "rerouted"),
                            ("bounced", "bounced"), ("removed", "removed")):
            assert event in events(here, ids[name]), (name, events(here, ids[name]))
        assert events(here, ids["removed"])[-1] == "removed" and events(here, ids["retried"])[-1] == "relayed"


def test_an_account_that_suddenly_sends_much_is_held_until_one_command_releases_it(scene):
    with PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        here.server.cli("user", "add", "root@here.test", "--password-stdin", "--admin", stdin=PASSWORD + "\n")
        here.route("*", hop(THERE, there.port))
        here.set("limits.burst", "3")
        markers = [here.send("u%d@there.test" % i) for i in range(3)]
        for marker in markers:
            there.wait_for_mail(marker)
        here.wait_for_empty_queue()  # what still waited would be held too
        markers += [here.send("u%d@there.test" % i) for i in range(3, 6)]
        wait_for(lambda: {m["state"] for m in here.queue()} == {"held"} and len(here.queue()) == 3, "three messages on hold", here.queue)
        # Mail to people here is not held.
        here.wait_for_mail(here.send(here.user))
        owner = wait_for(lambda: [m for m in here.inbox() if "on hold" in m["Subject"]], "the owner is told")
        admin = wait_for(lambda: [m for m in here.inbox("root@here.test") if "on hold" in m["Subject"]], "the admin is told")
        assert len(owner) == 1 and len(admin) == 1, "told once"
        assert "change your password" in " ".join(owner[0].get_content().split())
        command = re.search(r"^ +posthus (account release .*)$", admin[0].get_content(), re.MULTILINE)[1].split()
        assert len(there.messages) == 3
        here.server.cli(*command)
        for marker in markers:
            there.wait_for_mail(marker)
        here.wait_for_empty_queue()
        there.wait_for_mail(here.send("v@there.test"))  # and is not held again for the same


def test_one_sender_does_not_fill_the_queue(scene):
    def hand_in(sender):
        with smtplib.SMTP(HERE, here.smtp_port, local_hostname="out.test") as client:
            marker = mail.unique()
            try:
                client.sendmail(sender, ["ben@branch.test"], mail.message(marker, sender=sender, to="ben@branch.test"))
            except smtplib.SMTPDataError as error:
                return error.smtp_code
            return marker

    with PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        here.server.cli("domain", "add", "branch.test", "--relay")
        here.set("queue.copies_per_sender", "2")
        here.route("branch.test", hop(OUT, free_ports(1)[0]))
        markers = [hand_in("stranger@out.test"), hand_in("Stranger@Out.test")]
        assert hand_in("stranger@out.test") == 452
        markers.append(hand_in("another@out.test"))
        here.route("branch.test", hop(THERE, there.port))
        for marker in markers:
            there.wait_for_mail(marker)
        here.wait_for_empty_queue()
        there.wait_for_mail(hand_in("stranger@out.test"))


def test_forwarded_mail_goes_out_by_our_name_and_its_bounce_finds_the_sender(scene):
    paths = []

    def note(line):
        if line.upper().startswith("MAIL FROM:"):
            paths.append(re.search(r"<(.*?)>", line)[1])

    with PlainHost(OUT, answer=note) as out, Site(scene.server.binary, HERE, "here.test") as here, \
            Site(scene.server.binary, THERE, "there.test", user="ben") as there:
        here.server.cli("alias", "add", "list@here.test", "cara@out.test")
        here.route("out.test", hop(OUT, out.port))
        here.route("there.test", hop(THERE, there.smtp_port))
        there.route("here.test", hop(HERE, here.smtp_port))
        out.wait_for_mail(there.send("list@here.test"))
        path = paths[-1]
        assert path.endswith("@here.test") and "ben" in path, path  # SPF of here.test holds
        with smtplib.SMTP(HERE, here.smtp_port, local_hostname="out.test") as client:
            marker = mail.unique()
            client.sendmail("", [path], mail.message(marker, sender="postmaster@out.test", to=path))
        there.wait_for_mail(marker)
        for sender, recipient in (("", path.replace("=ben@", "=bob@")), ("stranger@out.test", path)):
            with smtplib.SMTP(HERE, here.smtp_port, local_hostname="out.test") as client:
                client.helo()
                client.mail(sender)
                code, words = client.rcpt(recipient)
                assert code == 550, (recipient, code, words)


def test_a_full_member_of_an_alias_gets_his_copy_once_there_is_room(scene):
    with Site(scene.server.binary, HERE, "here.test") as here:
        cli, full = here.server.cli, "full@here.test"
        here.server.add_user(full, PASSWORD)
        here.send(full, marker="large", body="Hello.\r\n" * 500)
        wait_for(lambda: here.inbox(full), "what fills the mailbox")
        cli("user", "quota", full, "4000")
        cli("alias", "add", "local@here.test", full, here.user, "gone@here.test")
        for name in ("queue.first_retry_seconds", "queue.max_retry_seconds"):
            here.set(name, "86400")
        with smtplib.SMTP(HERE, here.smtp_port, local_hostname="client.test") as client:
            marker = mail.unique()
            client.sendmail("stranger@out.test", ["local@here.test"], mail.message(marker))
        here.wait_for_mail(marker)
        assert len(here.inbox(full)) == 1
        queue_id, waiting, _ = wait_for(lambda: next((q for q in recipients(here).values() if q[1]["attempts"]), None), "an attempt", here.queue)
        assert waiting["address"] == full and waiting["last_reply"].startswith("452 4.2.2"), waiting
        accepted = here.server.cli_json("trace", queue_id)["items"][0]
        assert accepted["skipped"] == [{"address": "gone@here.test", "reason": "unknown", "via": "local@here.test"}], accepted
        assert {"recipient": full, "event": "queued", "via": "local@here.test"} in accepted["recipients"], accepted
        assert "gone@here.test (unknown)" in cli("trace", queue_id).stdout.decode()
        cli("queue", "retry", queue_id)
        wait_for(lambda: recipients(here)["here.test"][1]["attempts"] > 1, "a second attempt", here.queue)
        cli("user", "quota", full, "0")
        cli("queue", "retry", queue_id)
        here.wait_for_empty_queue()
        arrived = here.inbox(full)[1:]
        assert [(m["Subject"], m["Return-Path"]) for m in arrived] == [(marker, "<stranger@out.test>")], arrived
        assert [m["Subject"] for m in here.inbox()] == [marker]
        assert events(here, queue_id)[-1] == "relayed", events(here, queue_id)


def parts_of(report):
    """(human part, fields of the message, fields of each recipient, returned part), by Python's email package."""
    human, status, returned = report.iter_parts()
    assert report.get_param("report-type") == "delivery-status" and status.get_content_type() == "message/delivery-status"
    of_message, *of_recipients = status.get_payload()
    return human, of_message, of_recipients, returned


def test_reports_are_in_the_language_of_the_domain_and_say_what_was_asked_for(scene):
    said = {"en": ("does not exist", "What you can do", "could not be delivered"),
            "de": ("gibt es nicht", "Was Sie tun können", "konnte nicht zugestellt werden"),
            "nb": ("finnes ikke", "Dette kan du gjøre", "kunne ikke leveres")}
    with DnsSite({"there.test": ""}) as dns, Site(scene.server.binary, HERE, "here.test", environment=dns.environment()) as here:
        for count, (language, (what, advice, subject)) in enumerate(said.items(), 1):
            here.call("PATCH", "/api/v1/domains/here.test", {"language": language})
            marker = here.send("ben@nowhere.there.test", options=["ENVID=QQ+2B314", "RET=HDRS"],
                               rcpt_options=["NOTIFY=FAILURE", "ORCPT=rfc822;Ben+2Bx@there.test"])
            here.send("eva@nowhere.there.test", rcpt_options=["NOTIFY=NEVER"])
            here.wait_for_empty_queue()
            report = here.wait_for_report(count)[-1]
            human, of_message, of_recipients, returned = parts_of(report)
            text = " ".join(human.get_content().split())
            assert what in text and advice in text and "ben@nowhere.there.test" in text, text
            assert human["Content-Language"] == language and subject in report["Subject"], report["Subject"]
            assert of_message["Original-Envelope-Id"] == "QQ+314" and of_message["Reporting-MTA"] == "dns; mx.here.test", of_message
            assert len(of_recipients) == 1
            fields = of_recipients[0]
            assert fields["Original-Recipient"] == "rfc822; Ben+x@there.test", fields["Original-Recipient"]
            assert fields["Final-Recipient"] == "rfc822; ben@nowhere.there.test"
            assert fields["Action"] == "failed" and fields["Status"] == "5.1.2"
            assert returned.get_content_type() == "text/rfc822-headers" and marker in returned.as_string()
            assert "Hello." not in returned.as_string()
            assert report["Auto-Submitted"] == "auto-replied" and report["Return-Path"] == "<>" and not report.defects
        assert len(here.inbox()) == len(said)


def test_the_trace_is_found_by_everything_that_is_known_of_a_message(scene):
    with PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        here.route("*", hop(THERE, there.port))
        before = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        marker = here.send("Ben@there.test")
        there.wait_for_mail(marker)
        here.wait_for_empty_queue()
        other = here.send("eva@elsewhere.test")
        there.wait_for_mail(other)
        here.wait_for_empty_queue()
        here.wait_for_mail(here.send(here.user, marker="stays " + marker))

        def found(*arguments):
            return [item["id"] for item in here.server.cli_json("trace", *arguments)["items"]]

        ours = found("ben@there.test")
        assert len(ours) == 1
        assert found("@there.test") == ours and found("<%s@example.test>" % marker, "--message-id") == ours
        assert found("--subject", marker[:20], "--since", before)[-1] == ours[0]
        assert len(found(here.user)) == 3 and len(found("--since", before)) == 3
        assert found("--until", "2020-01-01T00:00:00Z") == [] and found("nobody@there.test") == []
        accepted, relayed = here.server.cli_json("trace", ours[0])["items"]
        assert accepted["event"] == "accepted" and accepted["login"] == here.user and accepted["address"].startswith("127."), accepted
        assert accepted["tls"].startswith("TLS"), accepted
        assert (relayed["event"], relayed["reply"], relayed["address"]) == ("relayed", "250 2.0.0 taken", THERE), relayed
        local = here.server.cli_json("trace", found("--subject", "stays")[0])["items"]
        assert local[0]["recipients"][0]["event"] == "delivered", local
        here.set("trace.subject", "0")
        secret = here.send("ben@there.test")
        there.wait_for_mail(secret)
        assert found("--subject", secret) == [] and len(found("ben@there.test")) == 2
