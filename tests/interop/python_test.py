"""Python's smtplib, imaplib and poplib against the server."""
import imaplib
import poplib
import smtplib

import mail
from posthus_server import PosthusServer


def test_submission_with_starttls_reaches_imap_and_pop3(scene):
    marker = mail.unique()
    client = mail.submission(scene, scene.anna)
    client.sendmail(scene.anna, [scene.ben], mail.message(marker))
    client.quit()
    assert len(mail.find(scene, scene.ben, marker)) == 1
    pop = mail.pop(scene, scene.ben)
    texts = [b"\r\n".join(pop.retr(i + 1)[1]) for i in range(pop.stat()[0])]
    pop.quit()
    assert sum(marker.encode() in t for t in texts) == 1


def test_submissions_with_implicit_tls(scene):
    marker = mail.unique()
    client = smtplib.SMTP_SSL("127.0.0.1", scene.ports["submissions"], context=PosthusServer.tls())
    client.login(scene.anna, scene.password)
    client.sendmail(scene.anna, [scene.ben], mail.message(marker))
    client.quit()
    assert len(mail.find(scene, scene.ben, marker)) == 1


def test_mail_from_outside_is_taken_for_known_users_only(scene):
    client = mail.mx(scene)
    client.ehlo()
    marker = mail.unique()
    refused = client.sendmail("sender@elsewhere.test", [scene.ben, "nobody@example.test", "x@other.test"], mail.message(marker))
    client.quit()
    assert {a: code for a, (code, _) in refused.items()} == {"nobody@example.test": 550, "x@other.test": 550}, refused
    assert len(mail.find(scene, scene.ben, marker)) == 1


def test_a_login_may_only_send_as_itself(scene):
    client = mail.submission(scene, scene.anna)
    try:
        client.sendmail(scene.ben, [scene.ben], mail.message(mail.unique()))
        raise AssertionError("anna sent as ben")
    except smtplib.SMTPSenderRefused as refusal:
        assert refusal.smtp_code in (550, 553), refusal
    client.quit()


def test_no_login_without_tls(scene):
    smtp = smtplib.SMTP("127.0.0.1", scene.ports["submission"], local_hostname="client.test")
    smtp.ehlo()
    assert not smtp.has_extn("auth")
    smtp.quit()
    imap = imaplib.IMAP4("127.0.0.1", scene.ports["imap"])
    assert "LOGINDISABLED" in imap.capabilities, imap.capabilities
    imap.logout()
    pop = poplib.POP3("127.0.0.1", scene.ports["pop3"])
    assert "USER" not in pop.capa(), pop.capa()
    pop.quit()


def test_starttls_on_imap_and_pop3(scene):
    imap = imaplib.IMAP4("127.0.0.1", scene.ports["imap"])
    imap.starttls(PosthusServer.tls())
    imap.login(scene.anna, scene.password)
    imap.logout()
    pop = poplib.POP3("127.0.0.1", scene.ports["pop3"])
    pop.stls(PosthusServer.tls())
    pop.user(scene.anna)
    pop.pass_(scene.password)
    pop.quit()


def test_wrong_passwords_are_refused_everywhere(scene):
    for attempt in (lambda: mail.imap(Wrong(scene), scene.anna), lambda: mail.pop(Wrong(scene), scene.anna),
                    lambda: mail.submission(Wrong(scene), scene.anna)):
        try:
            attempt()
        except (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError):
            continue
        raise AssertionError("a wrong password was accepted")


class Wrong:
    """The scene with a wrong password."""

    def __init__(self, scene):
        self.ports, self.password = scene.ports, "wrong"


def test_append_flags_copy_move_and_expunge(scene):
    client = mail.imap(scene, scene.anna)
    marker = mail.unique()
    status, data = client.append("INBOX", r"(\Flagged $Label1)", None, mail.message(marker))
    assert status == "OK" and b"APPENDUID" in data[0], data
    _, found = client.uid("SEARCH", "SUBJECT", marker)
    uid = found[0].decode()
    _, data = client.uid("FETCH", uid, "(FLAGS)")
    assert rb"\Flagged" in data[0] and b"$Label1" in data[0], data
    client.create("Work/Projects")
    status, _ = client.uid("COPY", uid, "Work/Projects")
    assert status == "OK"
    status, _ = client.uid("MOVE", uid, "Archive")
    assert status == "OK"
    assert client.uid("SEARCH", "SUBJECT", marker)[1] == [b""]
    client.logout()
    assert len(mail.find(scene, scene.anna, marker, "Work/Projects")) == 1
    assert len(mail.find(scene, scene.anna, marker, "Archive")) == 1


def test_two_sessions_see_each_other(scene):
    watcher, writer = mail.imap(scene, scene.anna), mail.imap(scene, scene.anna)
    before = int(watcher.untagged_responses.get("EXISTS", [b"0"])[-1] or 0)
    writer.append("INBOX", None, None, mail.message(mail.unique()))
    watcher.untagged_responses.clear()
    watcher.noop()
    assert int(watcher.untagged_responses["EXISTS"][-1]) == before + 1, watcher.untagged_responses
    watcher.logout()
    writer.logout()


def test_pop3_keep_and_delete_mode(scene):
    mail.empty(scene, scene.ben)
    markers = [mail.unique() for _ in range(3)]
    client = mail.submission(scene, scene.anna)
    for marker in markers:
        client.sendmail(scene.anna, [scene.ben], mail.message(marker))
    client.quit()
    keep = mail.pop(scene, scene.ben)
    listing = keep.uidl()[1]
    assert len(listing) == 3
    keep.quit()
    delete = mail.pop(scene, scene.ben)
    assert delete.uidl()[1] == listing
    delete.dele(2)
    delete.quit()
    after = mail.pop(scene, scene.ben)
    assert [line.split()[1] for line in after.uidl()[1]] == [listing[0].split()[1], listing[2].split()[1]]
    after.quit()


def test_the_maildrop_is_locked(scene):
    first = mail.pop(scene, scene.ben)
    try:
        mail.pop(scene, scene.ben)
        raise AssertionError("two sessions got the maildrop")
    except poplib.error_proto as refusal:
        assert b"[IN-USE]" in refusal.args[0], refusal
    first.quit()
