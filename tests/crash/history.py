"""Figures over time (the charts): what was once seen of a minute is there after every kill, and not less."""
import json
import os
import socket


def look(server):
    """The minutes of the last hour of which something is known: seconds since 1970 and the messages received."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(os.path.join(server.data, "admin.sock"))
        s.sendall(b"GET /api/v1/history?span=hour&figure=received HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = json.loads(s.makefile("rb").read().partition(b"\r\n\r\n")[2])
    values = answer["figures"]["received"]
    assert len(values) == answer["slots"] == 60, answer
    return answer["start"], {answer["start"] + i * answer["step"]: value for i, value in enumerate(values) if value is not None}


class HistoryLedger:
    def __init__(self):
        self.seen = {}

    def settle(self, found):
        self.seen = dict(found[1])

    def problems(self, found):
        start, minutes = found
        kept = {minute: value for minute, value in self.seen.items() if minute >= start}
        return ["history: the minute %d had %d received, and now %s" % (minute, value, minutes.get(minute))
                for minute, value in kept.items() if minutes.get(minute, -1) < value]

    def finds_lies(self, found):
        """A minute that was never there, and more than there was, must be noticed."""
        missing, less = HistoryLedger(), HistoryLedger()
        missing.seen = {found[0] + 61: 0}
        less.seen = {minute: value + 1 for minute, value in found[1].items()}
        return [] if missing.problems(found) and less.problems(found) else ["not found: history that was lost (%s)" % (found,)]
