"""DKIM signatures of submitted mail as another program verifies them (Debian's python3-dkim), over real mails: RFC 6376, RFC 8463."""
import contextlib
import glob
import os
import re
import smtplib

import dkim
import mail
from dns_site import DnsSite
from outgoing_scene import PASSWORD, PlainHost, Site, wait_for
from ports import free_ports
from posthus_server import PosthusServer

HERE, THERE = "127.0.0.2", "127.0.0.3"
MIME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "mime")
FROM = re.compile(rb"(?im)^(from|date|message-id)[ \t]*:.*\r\n([ \t].*\r\n)*")


def offers(line):
    """Takes every text as it is: what is converted on its way does not verify (RFC 6376 §5.3)."""
    return "250-plain.test\r\n250-SMTPUTF8\r\n250 8BITMIME" if line.upper().startswith("EHLO") else None


@contextlib.contextmanager
def pair(scene):
    """A server, and the host that its mail for there.test goes to."""
    port = free_ports(1)[0]
    with DnsSite({"there.test": "@ MX 10 mx\nmx A " + THERE}) as dns, PlainHost(THERE, port, answer=offers) as host, \
            Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as site:
        yield site, host


def real_mails(sender):
    """Mails of tests/golden/mime with `sender` as their author, each with its path."""
    for path in sorted(glob.glob(os.path.join(MIME, "**", "*.*"), recursive=True)):
        if os.path.basename(path).startswith(("LICENSE", "SOURCE")) or os.path.getsize(path) > 200_000:
            continue
        with open(path, "rb") as file:
            text = re.sub(rb"\r\n|\r|\n", b"\r\n", file.read())
        header, blank, body = text.partition(b"\r\n\r\n")
        if not blank or b"\0" in text or max(map(len, text.split(b"\r\n"))) > 990:
            continue
        yield path, b"From: " + sender.encode() + b"\r\n" + FROM.sub(b"", header + b"\r\n") + b"\r\n" + body


def records(site):
    return {key["record_name"].encode() + b".": key["record"].encode() for key in site.server.cli_json("dkim", "show", site.domain)["items"]}


def verdicts(text, names):
    """How each of the two signatures comes out: True, False or the verifier's refusal to read the message."""
    for index in (0, 1):
        try:
            yield dkim.DKIM(text).verify(idx=index, dnsfunc=lambda name, timeout=5: names.get(name))
        except dkim.MessageFormatError as refusal:
            yield refusal
        except dkim.ValidationError:
            yield False


def submitted(site, mails):
    client = smtplib.SMTP(site.address, site.server.ports["submission"], local_hostname="client.test")
    client.starttls(context=PosthusServer.tls())
    client.login(site.user, PASSWORD)
    taken = 0
    for _path, text in mails:
        try:
            client.sendmail(site.user, ["ben@there.test"], text, ["BODY=8BITMIME"])
            taken += 1
        except smtplib.SMTPDataError as refusal:
            assert refusal.smtp_code == 550, refusal  # a further From in a broken header
    client.quit()
    return taken


def test_signatures_hold_for_real_mails(scene):
    with pair(scene) as (site, host):
        site.set("limits.burst", "100000")  # more in a minute than people send
        mails = list(real_mails(site.user))
        assert len(mails) > 100, len(mails)
        taken = submitted(site, mails)
        assert taken >= len(mails) - 10, (taken, len(mails))
        wait_for(lambda: len(host.messages) >= taken, "all of %d mails" % taken)
        names = records(site)
        good = unreadable = 0
        for message in host.messages:
            text = re.sub(rb"(?m)^\.", b"", message)
            assert text.count(b"\r\nDKIM-Signature: ") + text.startswith(b"DKIM-Signature: ") >= 2, text[:2000]
            for verdict in verdicts(text, names):
                assert verdict is not False, text[:3000]
                good += verdict is True
                unreadable += verdict is not True
        assert unreadable <= 20 and good + unreadable == 2 * taken, (good, unreadable, taken)


def test_a_changed_message_does_not_verify(scene):
    with pair(scene) as (site, host):
        host_text = one_sent(site, host)
        names = records(site)
        assert list(verdicts(host_text, names)) == [True, True], host_text
        assert list(verdicts(host_text.replace(b"Hello", b"Hallo"), names)) == [False, False]
        assert list(verdicts(b"From: eve@evil.test\r\n" + host_text, names)) == [False, False]


def one_sent(site, host):
    marker = mail.unique().encode()
    site.send("ben@there.test", marker=marker.decode())
    wait_for(lambda: any(marker in m for m in host.messages), "the message")
    return re.sub(rb"(?m)^\.", b"", next(m for m in host.messages if marker in m))


def test_new_keys_take_over_and_old_signatures_still_verify(scene):
    with pair(scene) as (site, host):
        before = one_sent(site, host)
        first = set(records(site))
        site.server.cli("dkim", "rotate", site.domain)
        assert list(verdicts(one_sent(site, host), {n: r for n, r in records(site).items() if n in first})) == [True, True]
        refused = site.server.cli("dkim", "activate", site.domain, check=False)  # the DNS of here.test holds nothing
        assert refused.returncode == 1 and b"publish" in refused.stderr, refused
        site.server.cli("dkim", "activate", site.domain, "--force")
        names = records(site)
        assert len(names) == 4, names
        assert list(verdicts(before, names)) == [True, True]
        assert list(verdicts(one_sent(site, host), {n: r for n, r in names.items() if n not in first})) == [True, True]
        shown = site.server.cli("dkim", "show", site.domain).stdout.decode()
        assert shown.count("retiring") == 2 and shown.count(" IN TXT (") == 4, shown
        assert site.server.cli("dkim", "show", "nowhere.test", check=False).returncode == 1
