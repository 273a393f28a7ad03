"""A domain under another name, and further names of a domain: what people and mail programs see of it, with Python's own clients and
msmtp (SCRAM). Each test has domains of its own."""
import smtplib

import mail
from clients_test import run, write


def people(scene, domain, *names):
    scene.server.add_domain(domain)
    for name in names:
        scene.server.add_user("%s@%s" % (name, domain), scene.password)


def deliver(scene, to, marker):
    client = mail.mx(scene)
    client.sendmail("a@elsewhere.test", [to], mail.message(marker, sender="a@elsewhere.test", to=to))
    client.quit()


def refuses(client, sender, to):
    try:
        client.sendmail(sender, [to], mail.message("forged", sender=sender, to=to))
    except (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
        return True
    return False


def test_everybody_goes_on_working_under_both_names(scene):
    people(scene, "old.test", "vera", "otto")
    cli = scene.server.cli
    cli("alias", "add", "desk@old.test", "vera@old.test")
    cli("alias", "add", "@old.test", "otto@old.test")
    deliver(scene, "vera@old.test", "before")
    open_session = mail.imap(scene, "vera@old.test")
    cli("domain", "rename", "old.test", "new.test")
    assert open_session.noop()[0] == "OK", "who is signed in stays so"
    for marker, to in (("to-old", "vera@old.test"), ("to-new", "vera@new.test"), ("to-desk", "desk@old.test")):
        deliver(scene, to, marker)
    assert open_session.noop()[0] == "OK" and open_session.search(None, "ALL")[1][0].split() == [b"1", b"2", b"3", b"4"]
    open_session.logout()
    deliver(scene, "whoever@old.test", "stray")
    assert len(mail.find(scene, "otto@new.test", "stray")) == 1, "the catch-all moved too"
    for login in ("vera@old.test", "vera@new.test"):
        assert len(mail.find(scene, login, "before")) == 1
        client = mail.pop(scene, login)
        assert client.stat()[0] == 4
        client.quit()
        client = mail.submission(scene, login)
        for sender in ("vera@old.test", "vera@new.test", "desk@old.test", "desk@new.test"):
            client.sendmail(sender, ["otto@old.test"], mail.message("from " + sender, sender=sender, to="otto@old.test"))
        assert refuses(client, "otto@old.test", "vera@new.test") and refuses(client, "otto@new.test", "vera@new.test")
        client.quit()
    # SCRAM keys are of password and salt, not of the name (RFC 5802 §3).
    for login in ("vera@old.test", "vera@new.test"):
        rc = write(scene, "msmtprc-names", "account default\nhost 127.0.0.1\nport %d\ntls on\ntls_starttls on\ntls_certcheck off\n"
                   "auth scram-sha-256\nuser %s\npassword %s\nfrom %s\n" % (scene.ports["submission"], login, scene.password, login))
        run(scene, "msmtp", "-C", rc, "otto@new.test", stdin=mail.message("scram " + login, sender=login).replace(b"\r\n", b"\n"))
        assert len(mail.find(scene, "otto@new.test", "scram " + login)) == 1
    keys = {name: [one["selector"] for one in scene.server.cli_json("dkim", "show", name)["items"]] for name in ("old.test", "new.test")}
    assert keys["old.test"] and keys["new.test"], keys
    assert scene.server.cli_json("check")["findings"] == []


def test_a_domain_gets_a_further_name_and_loses_it(scene):
    people(scene, "home.test", "ida")
    cli = scene.server.cli
    cli("domain", "add", "further.test", "--alias-of", "home.test")
    assert cli("domain", "add", "x.test", "--alias-of", "further.test", check=False).returncode == 1
    assert cli("user", "add", "x@further.test", "--shared", check=False).returncode == 1
    deliver(scene, "ida@further.test", "further")
    assert len(mail.find(scene, "ida@further.test", "further")) == 1
    assert cli("domain", "rename", "home.test", "example.test", check=False).returncode == 1, "that is another domain"
    # The two change places: the DNS of the name to come can be made ready.
    cli("domain", "rename", "home.test", "further.test")
    assert scene.server.cli_json("domain", "list")["items"]
    assert len(mail.find(scene, "ida@home.test", "further")) == 1
    cli("domain", "remove", "home.test")
    client = mail.mx(scene)
    client.ehlo()
    client.mail("a@elsewhere.test")
    assert client.rcpt("ida@home.test")[0] >= 500
    client.quit()
    try:
        mail.imap(scene, "ida@home.test")
        raise AssertionError("the name is gone, and still signs in")
    except mail.imaplib.IMAP4.error:
        pass
    assert scene.server.cli_json("check")["findings"] == []
