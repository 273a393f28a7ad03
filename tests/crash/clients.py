"""What the crash tests share of clients: users, and what a mailbox shows."""
import imaplib
import re
from concurrent.futures import ThreadPoolExecutor

import mail
from ledger import Copy

MAILBOXES = ["INBOX", "Archive"]
imaplib._MAXLINE = 10_000_000


class Scene:
    password = "crash-password-1"

    def __init__(self, server):
        self.ports, self.server = server.ports, server


def address(user):
    return "u%d@example.test" % user


def expect_ok(status, data):
    if status != "OK":
        raise RuntimeError("%s %s" % (status, data))
    return data


def look(client, ledger, user, mailbox):
    """(marker, Copy) of every message of a mailbox, with the text where it was not read before; and problems."""
    expect_ok(*client.select(mailbox, readonly=True))
    state = client.untagged_responses
    exists, validity = int(state["EXISTS"][-1]), int(state["UIDVALIDITY"][-1])
    problems = ledger.mailbox_problems(user, mailbox, validity, int(state["UIDNEXT"][-1]))
    copies = {}
    data = expect_ok(*client.fetch("1:*", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")) if exists else []
    for item in data:
        if isinstance(item, tuple):
            uid = int(re.search(rb"UID (\d+)", item[0])[1])
            flags = re.search(rb"FLAGS \(([^)]*)\)", item[0])[1].decode().split()
            copies[uid] = (item[1].decode().partition("Subject: ")[2].strip(), Copy(user, mailbox, uid, flags, None))
    if len(copies) != exists:
        problems.append("%s has %d messages and shows %d" % (mailbox, exists, len(copies)))
    unread = [str(uid) for uid, (marker, _) in copies.items() if marker in ledger.entries and not ledger.entries[marker].is_read]
    data = expect_ok(*client.uid("FETCH", ",".join(unread), "(UID BODY.PEEK[])")) if unread else []
    for item in data:
        if isinstance(item, tuple):
            copies[int(re.search(rb"UID (\d+)", item[0])[1])][1].text = item[1]
    return list(copies.values()), problems


def look_at_user(scene, ledger, user, mailboxes):
    client = mail.imap(scene, address(user), None)
    seen = [look(client, ledger, user, mailbox) for mailbox in mailboxes]
    client.logout()
    return seen


def survey(scene, ledger, users, mailboxes=MAILBOXES):
    found, problems = {}, []
    with ThreadPoolExecutor(len(users)) as pool:
        seen = pool.map(lambda user: look_at_user(scene, ledger, user, mailboxes), users)
    for copies, more in (pair for pairs in seen for pair in pairs):
        problems += more
        for marker, copied in copies:
            found.setdefault(marker, []).append(copied)
    return found, problems
