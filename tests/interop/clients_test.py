"""Mail programs people use: swaks, msmtp, curl, fetchmail, mutt, mbsync."""
import os
import subprocess

import mail
from terminal import Terminal


def run(scene, *command, stdin=b"", environment=None, expect=0):
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=scene.directory, timeout=120,
                          env=dict(os.environ, HOME=scene.directory, **(environment or {})))
    assert expect is None or done.returncode == expect, "%s: exit %d\n%s" % (command, done.returncode, done.stdout.decode(errors="replace"))
    return done.stdout


def write(scene, name, text):
    path = os.path.join(scene.directory, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


def swaks(scene, port, *options, expect=0):
    return run(scene, "swaks", "--server", "127.0.0.1", "--port", str(scene.ports[port]), "--ehlo", "client.test", *options, expect=expect)


def test_swaks_sends_through_every_smtp_port(scene):
    login = ["--auth-user", scene.anna, "--auth-password", scene.password, "--from", scene.anna, "--to", scene.ben]
    for port, options in (("smtp", ["--from", "a@elsewhere.test", "--to", scene.ben]), ("smtp", ["--tls", "--from", "a@elsewhere.test", "--to", scene.ben]),
                          ("submission", ["--tls", "--auth", "PLAIN", *login]), ("submission", ["--tls", "--auth", "LOGIN", *login]),
                          ("submissions", ["--tls-on-connect", "--auth", "PLAIN", *login])):
        marker = mail.unique()
        swaks(scene, port, "--header", "Subject: " + marker, *options)
        assert len(mail.find(scene, scene.ben, marker)) == 1, (port, options)


def test_swaks_is_refused_where_it_must_be(scene):
    assert b"550" in swaks(scene, "smtp", "--from", "a@elsewhere.test", "--to", "nobody@example.test", expect=24)
    assert b"550" in swaks(scene, "smtp", "--from", "a@elsewhere.test", "--to", "x@other.test", expect=24)
    assert b"530" in swaks(scene, "submission", "--tls", "--from", scene.anna, "--to", scene.ben, expect=None)


def test_msmtp_with_scram(scene):
    rc = write(scene, "msmtprc", "account default\nhost 127.0.0.1\nport %d\ntls on\ntls_starttls on\ntls_certcheck off\nauth scram-sha-256\n"
               "user %s\npassword %s\nfrom %s\n" % (scene.ports["submission"], scene.anna, scene.password, scene.anna))
    marker = mail.unique()
    run(scene, "msmtp", "-C", rc, scene.ben, stdin=mail.message(marker).replace(b"\r\n", b"\n"))
    assert len(mail.find(scene, scene.ben, marker)) == 1


def test_curl_sends_and_reads(scene):
    marker = mail.unique()
    login = ["-sS", "--insecure", "--user", "%s:%s" % (scene.anna, scene.password)]
    path = write(scene, "mail.txt", mail.message(marker, to=scene.anna).decode())
    run(scene, "curl", *login, "--url", "smtps://127.0.0.1:%d/client.test" % scene.ports["submissions"], "--mail-from", scene.anna,
        "--mail-rcpt", scene.anna, "--upload-file", path)
    found = run(scene, "curl", *login, "imaps://127.0.0.1:%d/INBOX" % scene.ports["imaps"], "-X", "UID SEARCH SUBJECT " + marker)
    uid = found.split()[-1].decode()
    assert marker.encode() in run(scene, "curl", *login, "imaps://127.0.0.1:%d/INBOX;UID=%s" % (scene.ports["imaps"], uid))
    listing = run(scene, "curl", *login, "pop3s://127.0.0.1:%d/" % scene.ports["pop3s"])
    last = listing.split(b"\r\n")[-2].split()[0].decode()
    assert marker.encode() in run(scene, "curl", *login, "pop3s://127.0.0.1:%d/%s" % (scene.ports["pop3s"], last))


def test_fetchmail_keeps_and_then_deletes(scene):
    mail.empty(scene, scene.ben)
    markers = [mail.unique() for _ in range(3)]
    client = mail.submission(scene, scene.anna)
    for marker in markers:
        client.sendmail(scene.anna, [scene.ben], mail.message(marker))
    client.quit()
    rc = write(scene, "fetchmailrc", 'poll 127.0.0.1 service %d protocol pop3 uidl user "%s" password "%s" ssl sslproto "TLS1.2+" no sslcertck mda "cat >> %s/fetched"\n'
               % (scene.ports["pop3s"], scene.ben, scene.password, scene.directory))
    common = ["fetchmail", "-f", rc, "--pidfile", scene.directory + "/pid", "--idfile", scene.directory + "/ids", "--nosyslog"]
    environment = {"FETCHMAILHOME": scene.directory}
    run(scene, *common, "--keep", environment=environment)
    run(scene, *common, "--keep", environment=environment, expect=1)  # 1: nothing new
    with open(scene.directory + "/fetched") as f:
        fetched = f.read()
    assert all(fetched.count("Subject: " + marker) == 1 for marker in markers)
    run(scene, *common, "--all", "--nokeep", environment=environment)
    pop = mail.pop(scene, scene.ben)
    assert pop.stat()[0] == 0
    pop.quit()


def test_mbsync_two_ways_twice_without_duplicates(scene):
    marker = mail.unique()
    client = mail.imap(scene, scene.anna)
    for i in range(5):
        client.append("INBOX", None, None, mail.message("%s-%d" % (marker, i)))
    os.mkdir(scene.directory + "/maildir")
    rc = write(scene, "mbsyncrc", """IMAPAccount posthus
Host 127.0.0.1
Port %d
User %s
Pass %s
SSLType IMAPS
CertificateFile %s/data/tls/certificate.pem
AuthMechs LOGIN

IMAPStore far
Account posthus

MaildirStore near
Path %s/maildir/
Inbox %s/maildir/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
""" % (scene.ports["imaps"], scene.anna, scene.password, scene.server.directory, scene.directory, scene.directory))
    run(scene, "mbsync", "-c", rc, "-a")
    here = scene.directory + "/maildir/INBOX/"
    files = [d + f for d in ("new/", "cur/") for f in os.listdir(here + d)]
    count = len(files)
    assert sum(marker in open(here + f, errors="replace").read() for f in files) == 5
    with open(here + "new/1.local", "w") as f:
        f.write(mail.message(marker + "-from-near").decode().replace("\r\n", "\n"))
    for _ in range(2):
        run(scene, "mbsync", "-c", rc, "-a")
    client.noop()
    _, found = client.search(None, "SUBJECT", marker)
    client.logout()
    assert len(found[0].split()) == 6, found
    assert len(os.listdir(here + "new")) + len(os.listdir(here + "cur")) == count + 1


def mutt_settings(scene):
    # The authenticators are named because Debian's mutt picks SCRAM-SHA-256-PLUS by itself and then has no channel binding
    # to give to its library.
    with open(scene.server.directory + "/data/tls/certificate.pem") as source, open(scene.directory + "/certificates", "w") as target:
        target.write(source.read())
    return write(scene, "muttrc", """set smtp_url="smtps://%s@127.0.0.1:%d/"
set smtp_pass="%s"
set imap_user="%s"
set imap_pass="%s"
set ssl_verify_host=no
set smtp_authenticators="scram-sha-256:plain"
set imap_authenticators="scram-sha-256:plain:login"
set ssl_force_tls=yes
set certificate_file=%s/certificates
set from=%s
set use_from=yes
set hostname=example.test
set copy=no
set sort=date
set quit=yes
set delete=yes
set wait_key=no
set beep=no
set folder=imaps://127.0.0.1:%d/
""" % (scene.anna, scene.ports["submissions"], scene.password, scene.anna, scene.password, scene.directory, scene.anna, scene.ports["imaps"]))


def test_mutt_sends(scene):
    marker = mail.unique()
    run(scene, "mutt", "-F", mutt_settings(scene), "-s", marker, scene.anna, stdin=b"sent by mutt\n")
    assert len(mail.find(scene, scene.anna, marker)) == 1


def test_mutt_reads_flags_and_deletes(scene):
    mail.empty(scene, scene.anna)
    client = mail.mx(scene)
    subjects = [b"first of two", b"second of two"]
    for subject in subjects:
        client.sendmail("ben@elsewhere.test", [scene.anna], mail.message(subject.decode(), body="The words of the %s.\r\n" % subject.decode()))
    client.quit()
    environment = dict(os.environ, HOME=scene.directory)
    with Terminal(["mutt", "-F", mutt_settings(scene), "-f", "imaps://127.0.0.1:%d/INBOX" % scene.ports["imaps"]], environment, scene.directory) as screen:
        screen.expect(b"q:Quit.*first of two.*second of two.*Msgs:2")
        screen.send(b"1\r")  # goes to message 1, however the cursor stood
        screen.send(b"\r")
        screen.expect(b"The words of the first of two")
        screen.send(b"F")  # flags it
        screen.send(b"i")
        screen.expect(b"second of two")
        screen.send(b"2\r")
        screen.send(b"d")
        screen.send(b"q")
        assert screen.end() == 0
    client = mail.imap(scene, scene.anna)
    _, data = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    client.logout()
    assert len(data) == 2, data  # one message: a pair and the closing parenthesis
    assert b"first of two" in data[0][1], data
    assert b"\\Seen" in data[0][0] and b"\\Flagged" in data[0][0], data
