"""What clients were told, kept outside the server, and the comparison with what a restarted server shows.

Pure: no sockets, no clock. One Entry per message, named by its marker (its Subject, which occurs once).
"""
import threading

COUNTS = {"sent": (0, 1), "there": (1,), "maybe_gone": (0, 1), "gone": (0,)}  # state: how often it may be found


class Entry:
    """One message. What is None is in doubt: asked for and not answered, or never told."""

    def __init__(self, user, text):
        self.user, self.text = user, text
        self.state = "sent"      # sent: no answer yet. there, gone: acknowledged. maybe_gone: deletion not answered
        self.mailbox = "INBOX"
        self.uid = None
        self.flags = {}          # flag: True, False or None
        self.is_read = False     # its text was compared since it came


class Copy:
    """A message as the server shows it; `text` is None when it was not read this time."""

    def __init__(self, user, mailbox, uid, flags, text):
        self.user, self.mailbox, self.uid, self.flags, self.text = user, mailbox, uid, flags, text


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.entries = {}       # marker: Entry
        self.pairs = []         # markers whose deletion is all or none (RFC 1939 §6, the UPDATE state)
        self.validity = {}      # (user, mailbox): UIDVALIDITY
        self.highest = {}       # (user, mailbox): highest UID that was acknowledged
        self.done = {}          # kind of work: how often it was acknowledged
        self.troubles = []      # of clients, while the server was up

    def add(self, marker, user, text):
        with self.lock:
            self.entries[marker] = Entry(user, text)
            return self.entries[marker]

    def acknowledged(self, kind):
        with self.lock:
            self.done[kind] = self.done.get(kind, 0) + 1

    def trouble(self, text):
        with self.lock:
            self.troubles.append(text)

    def arrived(self, entry):
        """Acknowledged to its sender. POP3 may have seen it, and deleted it, before he heard so."""
        with self.lock:
            if entry.state == "sent":
                entry.state = "there"

    def leaving(self, markers):
        """Deletions of one POP3 session, about to be asked for; returns the entries."""
        with self.lock:
            self.pairs.append(markers)
            for marker in markers:
                self.entries[marker].state = "maybe_gone"
            return [self.entries[marker] for marker in markers]

    def uid_given(self, entry, mailbox, uid):
        with self.lock:
            entry.mailbox, entry.uid = mailbox, uid
            key = (entry.user, mailbox)
            self.highest[key] = max(uid, self.highest.get(key, 0))

    def mailbox_problems(self, user, mailbox, validity, next_uid):
        """UIDs may never be used again while UIDVALIDITY stays (RFC 9051 §2.3.1.1)."""
        key, problems = (user, mailbox), []
        if self.validity.setdefault(key, validity) != validity:
            problems.append("UIDVALIDITY of %s %s changed" % key)
        if next_uid <= self.highest.get(key, 0):
            problems.append("%s %s would use UID %d again" % (*key, next_uid))
        return problems

    def problems(self, found):
        """`found`: marker -> copies. What contradicts an acknowledgement."""
        out = ["%s is there, but was never sent, or its end was confirmed before" % m for m in found if m not in self.entries]
        for marker, entry in self.entries.items():
            copies = found.get(marker, [])
            if len(copies) not in COUNTS[entry.state]:
                out.append("%s: acknowledged as %s, found %d times" % (marker, entry.state, len(copies)))
            for copy in copies:
                out += ["%s: %s" % (marker, what) for what in differences(entry, copy)]
        for pair in self.pairs:
            if len({len(found.get(marker, [])) for marker in pair}) > 1:
                out.append("POP3 deletions were not all or none: %s" % pair)
        return out

    def settle(self, found):
        """After the comparison: what is there has to stay, as it is."""
        kept = {}
        for marker, copies in found.items():
            entry = self.entries.get(marker)
            if entry is None:
                continue
            entry.state, entry.mailbox, entry.uid = "there", copies[0].mailbox, copies[0].uid
            entry.flags = {flag: flag in copies[0].flags for flag in entry.flags}
            entry.is_read = True
            kept[marker] = entry
        self.entries, self.pairs = kept, []


def differences(entry, copy):
    if copy.user != entry.user or (entry.mailbox and copy.mailbox != entry.mailbox):
        yield "is in %s of user %d instead of %s of user %d" % (copy.mailbox, copy.user, entry.mailbox, entry.user)
    if entry.uid and copy.uid != entry.uid:
        yield "UID %d became %d" % (entry.uid, copy.uid)
    for flag, is_set in entry.flags.items():
        if is_set is not None and (flag in copy.flags) != is_set:
            yield "%s was acknowledged as %s" % (flag, "set" if is_set else "removed")
    # Delivery writes trace fields before the text (RFC 5321 §4.4).
    if copy.text is not None and not copy.text.endswith(entry.text):
        yield "is damaged: %d bytes instead of %d" % (len(copy.text), len(entry.text))


def lies(ledger):
    """Falsifications of a settled ledger, each of which the comparison must report: (name, apply) pairs."""
    markers = sorted(ledger.entries)
    entry = ledger.entries[markers[0]]

    def wrong(attribute, value):
        return lambda: setattr(entry, attribute, value)

    return [
        ("a lost message", lambda: setattr(ledger.add("never-sent", 0, b"x"), "state", "there")),
        ("a message that came back", wrong("state", "gone")),
        ("a message nobody sent", lambda: ledger.entries.pop(markers[0])),
        ("a lost flag", wrong("flags", {"\\Flagged": "\\Flagged" not in {f for f, on in entry.flags.items() if on}})),
        ("a UID that changed", wrong("uid", entry.uid + 1)),
        ("a message in the wrong mailbox", wrong("mailbox", "Trash")),
        ("a damaged message", wrong("text", entry.text[:-3] + b"?\r\n")),
        ("half of a pair", lambda: ledger.pairs.append(["never-sent", markers[0]])),
    ]
