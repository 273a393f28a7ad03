"""Hostile and broken clients over real sockets: a correct refusal, bounded memory, others undisturbed."""
import socket
import ssl

import mail
from posthus_server import PosthusServer

MEBIBYTE = 1 << 20


class Raw:
    """A socket that speaks bytes."""

    def __init__(self, scene, port, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", scene.ports[port]), timeout=60)
        if tls:
            self.start_tls()
        self.pending = b""

    def start_tls(self):
        self.socket = PosthusServer.tls().wrap_socket(self.socket, server_hostname="localhost")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def line(self):
        while b"\n" not in self.pending:
            piece = self.socket.recv(65536)
            if not piece:
                return self.pending
            self.pending += piece
        line, self.pending = self.pending.split(b"\n", 1)
        return line + b"\n"

    def reply(self):
        """A whole SMTP reply."""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return b"".join(lines)

    def until(self, start):
        while True:
            line = self.line()
            if not line or line.startswith(start):
                return line

    def closed(self):
        try:
            while self.socket.recv(65536):
                pass
            return True
        except (ConnectionResetError, ssl.SSLError):
            return True
        except socket.timeout:
            return False


def resident_kib(scene):
    with open("/proc/%d/status" % scene.server.process.pid) as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def still_served(scene):
    client = mail.mx(scene)
    assert client.noop()[0] == 250
    client.quit()


def test_a_line_without_end_is_refused(scene):
    for port, tls in (("smtp", False), ("pop3", False), ("imap", False), ("imaps", True), ("http", False)):
        before = resident_kib(scene)
        client = Raw(scene, port, tls)
        try:
            for _ in range(16):
                client.send(b"A" * MEBIBYTE)
        except OSError:
            pass
        client.socket.close()
        assert resident_kib(scene) - before < 8 * 1024, port
    still_served(scene)


def test_commands_glued_to_starttls_are_not_executed(scene):
    smtp = Raw(scene, "submission")
    smtp.reply()
    smtp.send(b"EHLO client.test\r\n").reply()
    smtp.send(b"STARTTLS\r\nMAIL FROM:<evil@elsewhere.test>\r\n")
    assert smtp.reply().startswith(b"220")
    smtp.start_tls()
    smtp.send(b"NOOP\r\n")
    assert smtp.reply().startswith(b"250 2.0.0"), "the glued command was executed or answered"
    imap = Raw(scene, "imap")
    imap.line()
    imap.send(b"a STARTTLS\r\nb CAPABILITY\r\n").until(b"a OK")
    imap.start_tls()
    imap.send(b"c NOOP\r\n")
    assert imap.line().startswith(b"c OK")
    pop = Raw(scene, "pop3")
    pop.line()
    pop.send(b"STLS\r\nCAPA\r\n").line()
    pop.start_tls()
    pop.send(b"NOOP\r\n")
    assert pop.line().startswith(b"-ERR")


def test_bare_line_feeds_do_not_smuggle_a_second_message(scene):
    for ending in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"):
        marker = mail.unique()
        client = Raw(scene, "smtp")
        client.reply()
        client.send(b"EHLO client.test\r\n").reply()
        for command in (b"MAIL FROM:<a@elsewhere.test>\r\n", b"RCPT TO:<ben@example.test>\r\n", b"DATA\r\n"):
            client.send(command).reply()
        client.send(b"Subject: " + marker.encode() + b"\r\n\r\nfirst" + ending + b"MAIL FROM:<b@elsewhere.test>\r\nRCPT TO:<ben@example.test>\r\nDATA\r\n"
                    b"Subject: " + marker.encode() + b"\r\n\r\nsmuggled\r\n.\r\n")
        assert client.reply()[:1] == b"5", ending
        client.send(b"QUIT\r\n").reply()
        assert mail.find(scene, scene.ben, marker) == [], ending


def test_ten_thousand_recipients(scene):
    client = Raw(scene, "smtp")
    client.reply()
    client.send(b"EHLO client.test\r\n").reply()
    client.send(b"MAIL FROM:<a@elsewhere.test>\r\n").reply()
    accepted = refused = 0
    for _ in range(100):
        client.send(b"".join(b"RCPT TO:<ben+%d@example.test>\r\n" % i for i in range(100)))
        for _ in range(100):
            reply = client.reply()
            if reply.startswith(b"250"):
                accepted += 1
            elif reply.startswith(b"452"):
                refused += 1
            elif reply.startswith(b"421"):
                return still_served(scene)
            else:
                raise AssertionError(reply)
    assert accepted + refused == 10_000 and refused > 0
    client.send(b"QUIT\r\n")
    still_served(scene)


def test_a_hundred_megabyte_header_is_refused_in_bounded_memory(scene):
    before = resident_kib(scene)
    client = Raw(scene, "smtp")
    client.reply()
    client.send(b"EHLO client.test\r\n").reply()
    for command in (b"MAIL FROM:<a@elsewhere.test>\r\n", b"RCPT TO:<ben@example.test>\r\n", b"DATA\r\n"):
        client.send(command).reply()
    line = b"X-Long: " + b"a" * 900 + b"\r\n"
    try:
        for _ in range(100):
            client.send(line * (MEBIBYTE // len(line)))
        client.send(b".\r\n")
        assert client.reply()[:3] in (b"552", b"554", b"550"), "not refused"
    except OSError:
        pass  # closed in between: a refusal too
    assert resident_kib(scene) - before < 16 * 1024
    still_served(scene)


def test_a_four_gibibyte_literal_is_refused_at_once(scene):
    client = Raw(scene, "imaps", tls=True)
    client.line()
    client.send(b"a LOGIN %s %s\r\n" % (scene.anna.encode(), scene.password.encode())).until(b"a OK")
    client.send(b"b APPEND INBOX {4294967296}\r\n")
    assert client.line().split()[1] in (b"NO", b"BAD")
    client.send(b"c APPEND INBOX {99999999999999999999}\r\n")
    assert client.line().split()[1] in (b"NO", b"BAD")
    client.send(b"d NOOP\r\n").until(b"d OK")


def test_a_deeply_nested_message_is_taken_and_described(scene):
    depth = 1000
    text = [b"Subject: nested\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n"]
    for i in range(depth):
        text.append(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (i, i + 1))
    text.append(b"--b%d\r\n\r\ndeep\r\n" % depth)
    client = mail.imap(scene, scene.anna)
    status, data = client.append("INBOX", None, None, b"".join(text))
    assert status == "OK", data
    _, found = client.search(None, "SUBJECT", "nested")
    status, data = client.fetch(found[0].split()[-1].decode(), "(BODYSTRUCTURE ENVELOPE)")
    assert status == "OK" and data[0]
    client.logout()


def test_one_byte_at_a_time(scene):
    client = Raw(scene, "smtp")
    client.reply()
    for byte in b"EHLO client.test\r\n":
        client.send(bytes([byte]))
    assert client.reply().startswith(b"250")
    still_served(scene)


def test_a_slow_reader_does_not_hold_others_up(scene):
    client = mail.imap(scene, scene.anna)
    client.append("Drafts", None, None, mail.message("big", body="x" * 70 + "\r\n" * 1) + b"y" * 20 * MEBIBYTE + b"\r\n")
    client.logout()
    before = resident_kib(scene)
    slow = []
    for _ in range(5):
        s = Raw(scene, "imaps", tls=True)
        s.line()
        s.send(b"a LOGIN %s %s\r\nb SELECT Drafts\r\nc FETCH 1 BODY.PEEK[]\r\n" % (scene.anna.encode(), scene.password.encode()))
        s.until(b"b OK")
        slow.append(s)
    still_served(scene)
    assert resident_kib(scene) - before < 16 * 1024
    for s in slow:
        s.socket.close()


def test_smuggled_http_requests_are_refused(scene):
    for head in (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                 b"POST /api/v1/domains HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"):
        client = Raw(scene, "http")
        client.send(head)
        assert client.line().split()[1] in (b"400", b"411", b"413", b"501"), head
        client.socket.close()
