"""Hostile hosts and lies of the DNS, over real sockets: nothing is lost, nothing comes back early, nobody else waits, and the server
does not grow. The same by bytes: tests/sessions/smtp_client. RFC 5321 §4.2, §5.1; RFC 3207 §4.1; RFC 4035 §4.3."""
import re
import socket
import socketserver
import ssl
import threading

from authority import Authority
from dns_site import DnsSite
from outgoing_scene import PlainHost, Site, wait_for
from ports import free_ports

HERE, THERE, LIVE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
MUCH = 1024 * 1024      # bytes of a reply
ENDLESS = 64 * MUCH     # bytes after which a host tires of sending
MOST_GROWTH = 32 * 1024  # KiB of resident memory a hostile host may cost; its reply alone would be as much if it were kept
EARLY = 260             # places where a host closes: more than it says in a whole dialog


class Hostile(socketserver.ThreadingTCPServer):
    """A host that does with each connection what `behave(host, socket)` does."""
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, behave, port=0):
        self.behave, self.connections, self.sent, self.lock = behave, 0, 0, threading.Lock()
        super().__init__((address, port), None)
        self.port = self.server_address[1]

    def finish_request(self, request, client_address):
        with self.lock:
            self.connections += 1
        request.settimeout(60)  # a test that fails must end
        try:
            self.behave(self, request)
        except OSError:
            pass  # the other side has had enough

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def resident(site):
    """KiB."""
    with open("/proc/%d/status" % site.server.process.pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def last_reply(site, domain):
    """What is known of the last attempt for a domain, once there was one."""
    def found():
        for message in site.queue():
            for recipient in message["recipients"]:
                if recipient["address"].endswith("@" + domain) and recipient["attempts"] > 0:
                    return str(recipient["last_reply"])
        return None
    return wait_for(found, "an attempt for " + domain)


def endless(piece, begin=b""):
    def behave(host, s):
        s.sendall(begin)
        while host.sent < ENDLESS:
            s.sendall(piece)
            host.sent += len(piece)
    return behave


def script(*replies):
    """Says a reply for each line it hears; the first at once. A reply may be several."""
    def behave(_, s):
        lines = s.makefile("rb")
        for reply in replies:
            s.sendall(reply)
            if not lines.readline():
                return
    return behave


LINES = (b"250-" + b"x" * 500 + b"\r\n") * (MUCH // 506) + b"250 end\r\n"
BEHAVIOURS = {
    "lines.test": endless(b"220-still not\r\n" * 1000),
    "line.test": endless(b"x" * 10_000, b"220 "),
    "zeroes.test": endless(b"\0" * 10_000),
    "long.test": script(b"220 hi\r\n", LINES),
    "early.test": script(b"220 hi\r\n250-a\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"),
    "codes.test": script(b"999 hi\r\n"),
    "words.test": script(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "differ.test": script(b"220 hi\r\n", b"250-a\r\n500 b\r\n"),
    "data.test": script(b"220 hi\r\n", b"250 hi\r\n", b"354 go on\r\n"),
    "closes.test": lambda host, s: None,
}


def test_hosts_that_do_not_speak_smtp_cost_nobody_anything(scene):
    with Site(scene.server.binary, HERE, "here.test") as here, PlainHost(LIVE) as live:
        here.route("live.test", "smtp://%s:%d" % (LIVE, live.port))
        live.wait_for_mail(here.send("ben@live.test"))
        before = resident(here)
        hosts = []
        try:
            for domain, behave in BEHAVIOURS.items():
                hosts.append(Hostile(THERE, behave).__enter__())
                here.route(domain, "smtp://%s:%d" % (THERE, hosts[-1].port))
                here.send("ben@" + domain)
            for domain in BEHAVIOURS:
                last_reply(here, domain)
            live.wait_for_mail(here.send("ben@live.test"))
            assert not here.inbox(), "a hostile host is no reason to return mail"
            assert {m["recipients"][0]["address"] for m in here.queue()} == {"ben@" + domain for domain in BEHAVIOURS}
            assert resident(here) - before < MOST_GROWTH, (before, resident(here))
            # Those that never end were left, long before they tired.
            assert all(host.sent < ENDLESS for host in hosts), [host.sent for host in hosts]
        finally:
            for host in hosts:
                host.__exit__()


class Closing:
    """A host that takes mail, and closes connection after connection one byte later. It knows which recipients it has told 250."""

    DIALOG = [b"220 mx.test ESMTP\r\n", b"250-mx.test\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"]

    def __init__(self):
        self.lock, self.next, self.told = threading.Lock(), 0, []

    def behave(self, _, s):
        with self.lock:
            self.next += 1
            left = self.next if self.next < EARLY else 10**9
        lines, recipients = s.makefile("rb"), []
        replies = iter(self.DIALOG)
        reply = next(replies)
        while True:
            s.sendall(reply[:left])
            if len(reply) > left:
                return
            left -= len(reply)
            if reply.startswith(b"250 2.0.0"):
                with self.lock:
                    self.told += recipients
                recipients = []
            line = lines.readline()
            if not line:
                return
            reply = self.answer(line, lines, replies, recipients)

    @staticmethod
    def answer(line, lines, replies, recipients):
        verb = line[:4].upper()
        if verb == b"EHLO":
            return next(replies)
        if verb == b"RCPT":
            recipients.append(line[line.index(b"<") + 1:line.index(b">")].decode())
        if verb == b"DATA":
            return b"354 End data with a dot\r\n"
        if verb in (b"QUIT", b"MAIL", b"RCPT", b"RSET"):
            return b"221 2.0.0 bye\r\n" if verb == b"QUIT" else b"250 2.1.0 ok\r\n"
        while line != b".\r\n" and line:  # the first line of the text has been read
            line = lines.readline()
        return b"250 2.0.0 taken, and much more to say about it\r\n"


def test_a_host_that_closes_after_every_byte_gets_everything_once(scene):
    closing = Closing()
    port = free_ports(1)[0]
    zone = "@ MX 10 mx\n* MX 10 mx\nmx A " + THERE
    with DnsSite({"early.test": zone}) as dns, Hostile(THERE, closing.behave, port), \
            Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as here:
        # A connection for each place: each recipient has a domain of its own.
        wanted = ["ben@d%d.early.test" % i for i in range(EARLY)]
        for limit in ("burst", "new_recipients_per_day"):
            here.set("limits." + limit, "100000")
        for i in range(0, EARLY, 20):
            here.send(*wanted[i:i + 20])
        here.wait_for_empty_queue()
        assert closing.next >= EARLY
        assert sorted(closing.told) == sorted(wanted), "copies or losses: %s" % set(wanted).symmetric_difference(closing.told)
        assert not here.inbox()


def broken_handshake(with_certificate):
    """Offers STARTTLS; the handshake does not come to its end. Without TLS the host takes mail."""
    def behave(host, s):
        lines = s.makefile("rb")
        s.sendall(b"220 hi\r\n")
        for line in lines:
            if line.startswith(b"EHLO"):
                s.sendall(b"250-hi\r\n250 STARTTLS\r\n")
            elif line.startswith(b"STARTTLS"):
                s.sendall(b"220 go\r\n")
                if with_certificate:  # the first half of a server's answer, then the end
                    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                    tls = with_certificate.wrap_bio(incoming, outgoing, server_side=True)
                    incoming.write(s.recv(65536))
                    try:
                        tls.do_handshake()
                    except ssl.SSLWantReadError:
                        pass
                    answer = outgoing.read()
                    s.sendall(answer[:len(answer) // 2])
                else:
                    s.recv(65536)  # its hello: what came before would be an answer nobody asked for
                    s.sendall(b"500 no, I meant something else\r\n" * 100)
                return
            elif line.startswith(b"DATA"):
                s.sendall(b"354 go\r\n")
                while lines.readline() not in (b".\r\n", b""):
                    pass
                host.sent += 1
                s.sendall(b"250 taken\r\n")
            else:
                s.sendall(b"250 ok\r\n")
    return behave


def test_a_handshake_that_breaks_ends_in_no_tls_or_no_mail(scene):
    with Authority() as authority:
        pair = authority.issue("mx.there.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        with Site(scene.server.binary, HERE, "here.test") as here:
            for i, behave in enumerate((broken_handshake(context), broken_handshake(None))):
                with Hostile(THERE, behave) as host:
                    here.route("must%d.test" % i, "smtp://%s:%d?tls=required" % (THERE, host.port))
                    here.route("may%d.test" % i, "smtp://%s:%d" % (THERE, host.port))
                    here.send("ben@may%d.test" % i)
                    wait_for(lambda: host.sent == 1, "the mail without TLS")  # noqa: B023
                    here.send("ben@must%d.test" % i)
                    reply = last_reply(here, "must%d.test" % i)
                    assert "TLS" in reply, reply
                    assert host.sent == 1
            assert not here.inbox()


MANY = 1000
CHAIN = 30


def aliases(count, last):
    return "\n".join("a%d CNAME %s" % (i, "a%d" % (i + 1) if i + 1 < count else last) for i in range(count))


def test_lies_and_excesses_of_the_dns(scene):
    port = free_ports(1)[0]
    own = ["@ MX 10 mx\nmx A %s" % HERE]
    zones = {
        "many.test": "\n".join("@ MX %d h%d\nh%d A 127.1.%d.%d" % (10 + i, i, i, i // 250, i % 250 + 1) for i in range(1, MANY))
                     + "\n@ MX 1 best\nbest A " + THERE,
        "addresses.test": "@ MX 1 mx\nmx A %s\n" % THERE + "\n".join("mx A 127.2.%d.%d" % (i // 250, i % 250 + 1) for i in range(MANY)),
        "alias.test": "@ MX 1 a0\n%s\nmx A %s" % (aliases(3, "mx"), THERE),
        "chain.test": "@ MX 1 a0\n%s\nmx A %s" % (aliases(CHAIN, "mx"), THERE),
        "circle.test": "@ MX 1 a0\n" + aliases(3, "a0"),
        "own.test": own[0], "ours.test": "@ MX 10 mx.here.test.", "null.test": "@ MX 0 .",
        "bogus.test": "@ MX 1 mx\nmx A " + THERE, "broken.test": "",
        "plain.test": "@ MX 1 mx\nmx A " + THERE, "here.test": own[0]}
    with DnsSite(zones, insecure=["plain.test", "addresses.test"], bogus=["bogus.test"], broken=["broken.test"]) as dns, \
            PlainHost(THERE, port) as there, \
            Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as here:
        markers = [here.send("ben@" + domain) for domain in ("many.test", "alias.test", "plain.test")]
        for marker in markers:
            there.wait_for_mail(marker, here.queue)
        here.send("ben@addresses.test")  # cut to what one host may have: it may or may not be among them
        # What a DNS can say and take back is no reason to return mail.
        for domain in ("chain.test", "circle.test", "bogus.test", "broken.test"):
            here.send("ben@" + domain)
        for domain in ("chain.test", "circle.test", "bogus.test", "broken.test"):
            assert "DNS" in last_reply(here, domain), last_reply(here, domain)
        assert not here.inbox()
        # What it says for good is one.
        for domain in ("own.test", "ours.test", "null.test"):
            here.send("ben@" + domain)
        texts = [" ".join(next(report.iter_parts()).get_content().split()) for report in here.wait_for_report(3)]
        assert sum("would loop" in text for text in texts) == 2 and any("null MX" in text for text in texts), texts


def test_exchangers_on_loopback_are_no_servers(scene):
    port = free_ports(1)[0]
    with DnsSite({"there.test": "@ MX 10 mx\nmx A 127.0.0.1\nmx AAAA ::1", "zero.test": "@ MX 10 mx\nmx A 0.0.0.0"}) as dns, \
            Hostile("127.0.0.1", lambda host, s: None, port) as trap, \
            Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as here:
        here.set("queue.allow_loopback", "0")
        here.send("ben@there.test")
        here.send("ben@zero.test")
        for report in here.wait_for_report(2):
            text = " ".join(next(report.iter_parts()).get_content().split())
            assert "where no server can be" in text, text
        assert trap.connections == 0


def test_a_dns_that_does_not_answer_puts_mail_off(scene):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, PlainHost(LIVE) as live:
        silent.bind(("127.0.0.1", 0))
        environment = {"POSTHUS_DNS_SERVERS": "127.0.0.1@%d" % silent.getsockname()[1]}
        with Site(scene.server.binary, HERE, "here.test", environment=environment) as here:
            here.route("live.test", "smtp://%s:%d" % (LIVE, live.port))
            for i in range(30):
                here.send("ben@d%d.silent.test" % i)
            live.wait_for_mail(here.send("ben@live.test"))  # nobody waits for the DNS
            assert "DNS" in last_reply(here, "d0.silent.test")
            assert len(here.queue()) == 30 and not here.inbox()
