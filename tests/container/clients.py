"""What the tests do with a server in a container: its API, its mailboxes, a message."""
import http.client
import imaplib
import json
import smtplib

from posthus_server import PosthusServer

PASSWORD = "correct-horse-7"


def call(container, method, path, body=None, token=None):
    connection = http.client.HTTPSConnection(container.address, container.port(2443), timeout=60, context=PosthusServer.tls())
    fields = {"Authorization": "Bearer " + token} if token else {}
    if body is not None:
        fields["Content-Type"] = "application/json"
    connection.request(method, "/api/v1/" + path, None if body is None else json.dumps(body), fields)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status < 300, (path, answer.status, text)
    return json.loads(text) if text else None


def messages(container, user, password=PASSWORD):
    client = imaplib.IMAP4_SSL(container.address, container.port(2993), ssl_context=PosthusServer.tls())
    client.login(user, password)
    count = int(client.select("INBOX", readonly=True)[1][0])
    client.logout()
    return count


def send(container, recipient, size=100):
    with smtplib.SMTP(container.address, container.port(2025), local_hostname="client.test", timeout=30) as client:
        client.sendmail("someone@elsewhere.test", [recipient], b"Subject: x\r\n\r\n" + (b"y" * 70 + b"\r\n") * (size // 72 + 1))
