"""What several people use: groups, and a shared mailbox with delegates, set up from the command line, used with Python's own clients
and mbsync. Accounts and addresses are each test's own."""
import os
import smtplib

import mail
from clients_test import run, write


def shared(scene, name, *grants):
    """A shared mailbox, and who may do what: (delegate, access, further options)."""
    address = name + "@example.test"
    scene.server.cli("user", "add", address, "--shared")
    for delegate, access, *options in grants:
        scene.server.cli("delegate", "put", address, delegate, "--access", access, *options)
    return address


def box(address, mailbox="INBOX"):
    return '"Shared/%s/%s"' % (address, mailbox)


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def test_two_delegates_see_each_others_flags(scene):
    address = shared(scene, "office", (scene.anna, "full"), (scene.ben, "full"))
    client = mail.mx(scene)
    for marker in ("first", "second"):
        client.sendmail("a@elsewhere.test", [address], mail.message(marker, sender="a@elsewhere.test", to=address))
    client.quit()
    anna, ben = mail.imap(scene, scene.anna, None), mail.imap(scene, scene.ben, None)
    assert b'"Shared/"' in ok(anna.namespace())[0]
    names = [line.split(b' "/" ')[1] for line in ok(anna.list('""', '"Shared/*"'))]
    assert box(address).encode() in names and box(address, "Sent").encode() in names, names
    for one in (anna, ben):
        assert ok(one.select(box(address))) == [b"2"]
    ok(anna.store("1", "+FLAGS", r"(\Answered work)"))
    ok(ben.noop())
    assert b"\\Answered work" in ok(ben.fetch("1", "(FLAGS)"))[0], "ben sees what anna did"
    ok(ben.store("2", "+FLAGS", r"(\Deleted)"))
    ok(ben.expunge())
    ok(anna.noop())
    assert anna.response("EXPUNGE")[1] == [b"2"], "anna is told what ben removed"
    ok(anna.append(box(address, "Drafts"), None, None, mail.message("a draft")))
    ok(ben.select(box(address, "Drafts")))
    assert b"1" in ok(ben.search(None, "SUBJECT", '"a draft"'))[0]
    anna.logout()
    ben.logout()
    usage = scene.server.cli_json("user", "list")["items"]
    assert next(one for one in usage if one["address"] == address)["usage"]["messages"] == 2, "it counts to the owner"


def test_a_reader_changes_nothing_and_goes_without_a_trace(scene):
    address = shared(scene, "archive", (scene.anna, "full"), (scene.ben, "read"))
    client = mail.mx(scene)
    client.sendmail("a@elsewhere.test", [address], mail.message("kept", sender="a@elsewhere.test", to=address))
    client.quit()
    ben = mail.imap(scene, scene.ben, None)
    try:
        ben.select(box(address))
        raise AssertionError("it is not announced as read-only")
    except ben.readonly:
        ben.is_readonly = True  # imaplib has noticed; it would say so again with each command
    ok(ben.fetch("1", "(BODY[])"))
    assert b"\\Seen" not in ok(ben.fetch("1", "(FLAGS)"))[0]
    for refused in (ben.store("1", "+FLAGS", r"(\Seen)"), ben.expunge(), ben.append(box(address), None, None, mail.message("no")),
                    ben.create(box(address, "Mine")), ben.delete(box(address, "Sent"))):
        assert refused[0] == "NO" and b"NOPERM" in refused[1][0], refused
    scene.server.cli("delegate", "remove", address, scene.ben)
    try:
        ben.fetch("1", "(FLAGS)")
        raise AssertionError("ben still reads it")
    except (ben.abort, ben.error) as end:
        assert "NOPERM" in str(end) or "BYE" in str(end) or "EOF" in str(end), end
    assert not scene.server.cli_json("delegate", "list", address)["items"][1:], "anna is left"


def test_mbsync_keeps_a_shared_mailbox_in_step(scene):
    address = shared(scene, "sync", (scene.anna, "full"))
    client = mail.mx(scene)
    for i in range(3):
        client.sendmail("a@elsewhere.test", [address], mail.message("mail-%d" % i, sender="a@elsewhere.test", to=address))
    client.quit()
    os.makedirs(scene.directory + "/shared", exist_ok=True)
    rc = write(scene, "shared.rc", """IMAPAccount posthus
Host 127.0.0.1
Port %d
User %s
Pass %s
SSLType IMAPS
CertificateFile %s/data/tls/certificate.pem
AuthMechs LOGIN

IMAPStore far
Account posthus
Path Shared/

MaildirStore near
Path %s/shared/
Inbox %s/shared/INBOX
SubFolders Verbatim

Channel all
Far ":far:%s/Archive"
Near ":near:office"
Create Both
Expunge Both
Sync All
SyncState *
""" % (scene.ports["imaps"], scene.anna, scene.password, scene.server.directory, scene.directory, scene.directory, address))
    anna = mail.imap(scene, scene.anna, None)
    ok(anna.select(box(address)))
    ok(anna.copy("1:*", box(address, "Archive")))
    run(scene, "mbsync", "-c", rc, "-a")
    here = scene.directory + "/shared/office/"
    files = [d + f for d in ("new/", "cur/") for f in os.listdir(here + d)]
    assert len(files) == 3, files
    os.rename(here + files[0], here + "cur/" + os.path.basename(files[0]).split(":")[0] + ":2,FS")
    run(scene, "mbsync", "-c", rc, "-a")
    ok(anna.select(box(address, "Archive")))
    assert len(ok(anna.search(None, "FLAGGED", "SEEN"))[0].split()) == 1
    anna.logout()


def test_a_delegate_sends_in_its_name(scene):
    address = shared(scene, "sales", (scene.anna, "full", "--send-as"), (scene.ben, "full"))
    marker = mail.unique()
    client = mail.submission(scene, scene.anna)
    client.sendmail(address, [scene.ben], mail.message(marker, sender=address))
    client.quit()
    assert len(mail.find(scene, scene.ben, marker)) == 1
    client = mail.submission(scene, scene.ben)
    try:
        client.sendmail(address, [scene.anna], mail.message(marker, sender=address))
        raise AssertionError("ben sent as sales")
    except smtplib.SMTPSenderRefused as refusal:
        assert refusal.smtp_code == 553, refusal
    client.close()
    try:
        mail.imap(scene, address)
        raise AssertionError("somebody signed in to a shared mailbox")
    except Exception as refusal:  # imaplib raises what it raises
        assert "AUTHENTICATIONFAILED" in str(refusal), refusal


def test_a_group_takes_mail_of_whom_it_may(scene):
    cli = scene.server.cli
    cli("group", "add", "team@example.test", scene.anna, scene.ben, "x@far.test", "--name", "The team", "--writers", "members")
    cli("group", "member", "remove", "team@example.test", "x@far.test")
    listed = scene.server.cli_json("group", "list")["items"]
    assert [(one["address"], one["display_name"], one["writers"], one["members"]) for one in listed if one["address"].startswith("team")] == [
        ("team@example.test", "The team", "members", [scene.anna, scene.ben])], listed
    client = mail.mx(scene)
    client.ehlo()
    client.mail("a@elsewhere.test")
    code, text = client.rcpt("team@example.test")
    assert code == 550 and text.startswith(b"5.7.2"), (code, text)
    client.rset()
    client.mail(scene.anna)
    assert client.rcpt("team@example.test")[0] == 550, "who says he is anna has to sign in"
    client.quit()
    marker = mail.unique()
    client = mail.submission(scene, scene.anna)
    client.sendmail(scene.anna, ["team@example.test", scene.ben], mail.message(marker))
    client.quit()
    assert len(mail.find(scene, scene.ben, marker)) == 1, "once"
    assert len(mail.find(scene, scene.anna, marker)) == 1
    cli("group", "change", "team@example.test", "--writers", "anyone")
    client = mail.mx(scene)
    client.sendmail("a@elsewhere.test", ["team@example.test"], mail.message(marker + "b", sender="a@elsewhere.test"))
    client.quit()
    assert len(mail.find(scene, scene.anna, marker + "b")) == 1
    cli("group", "remove", "team@example.test")
    cli("check")
