"""Small tools of the end-to-end tests: make, send and read messages with Python's own clients."""
import imaplib
import poplib
import smtplib
import uuid

from posthus_server import PosthusServer


def unique():
    return uuid.uuid4().hex


def message(marker, sender="anna@example.test", to="ben@example.test", body="Hello.\r\n"):
    return ("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%s@example.test>\r\n\r\n%s"
            % (sender, to, marker, marker, body)).encode()


def imap(scene, user, mailbox="INBOX"):
    client = imaplib.IMAP4_SSL("127.0.0.1", scene.ports["imaps"], ssl_context=PosthusServer.tls())
    client.login(user, scene.password)
    if mailbox:
        status, _ = client.select(mailbox)
        assert status == "OK", status
    return client


def pop(scene, user):
    client = poplib.POP3_SSL("127.0.0.1", scene.ports["pop3s"], context=PosthusServer.tls())
    client.user(user)
    client.pass_(scene.password)
    return client


def submission(scene, user):
    client = smtplib.SMTP("127.0.0.1", scene.ports["submission"], local_hostname="client.test")
    client.starttls(context=PosthusServer.tls())
    client.login(user, scene.password)
    return client


def mx(scene):
    return smtplib.SMTP("127.0.0.1", scene.ports["smtp"], local_hostname="client.test")


def find(scene, user, marker, mailbox="INBOX"):
    """Sequence numbers of the messages whose Subject holds `marker`."""
    client = imap(scene, user, mailbox)
    _, data = client.search(None, "SUBJECT", '"%s"' % marker)
    client.logout()
    return data[0].split()


def empty(scene, user, mailbox="INBOX"):
    client = imap(scene, user, mailbox)
    client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
    client.expunge()
    client.logout()
