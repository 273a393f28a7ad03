"""Mail that leaves: two servers, Postfix and a sink exchange it over loopback, by routes and by DNS."""
import os
import re
import socket
import subprocess
import time

import mail
from dns_site import DnsSite
from outgoing_scene import PlainHost, Postfix, Site, wait_for
from ports import free_ports

HERE, THERE = "127.0.0.2", "127.0.0.3"


def plain_part(report):
    """The human part of a delivery report."""
    return next(report.iter_parts()).get_content()


def status_part(report):
    return list(report.iter_parts())[1]


def hop(address, port):
    return "smtp://%s:%d" % (address, port)


def test_two_servers_exchange_mail_by_routes(scene):
    with Site(scene.server.binary, HERE, "here.test") as here, Site(scene.server.binary, THERE, "there.test", user="ben") as there:
        here.route("there.test", hop(THERE, there.smtp_port))
        there.route("*", hop(HERE, here.smtp_port))
        message = there.wait_for_mail(here.send(there.user))
        assert message["Return-Path"] == "<anna@here.test>", message["Return-Path"]
        assert len(message.get_all("Received")) == 2
        assert "with ESMTPS" in message.get_all("Received")[0], message.get_all("Received")[0]
        here.wait_for_mail(there.send(here.user))
        here.wait_for_empty_queue()
        there.wait_for_empty_queue()
        assert len(there.inbox()) == 1 and len(here.inbox()) == 1


def zones(port_hosts):
    """Zone texts: {"there.test": [(10, "mx", "127.0.0.3")]}."""
    return {name: "\n".join("@ MX %d %s\n%s A %s" % (preference, host, host, address) for preference, host, address in hosts)
            for name, hosts in port_hosts.items()}


def test_two_servers_exchange_mail_through_the_dns(scene):
    port = free_ports(1)[0]
    with DnsSite(zones({"here.test": [(10, "mx", HERE)], "there.test": [(10, "mx", THERE)]})) as dns:
        environment = dns.environment()
        with Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=environment) as here, \
                Site(scene.server.binary, THERE, "there.test", user="ben", smtp_port=port, environment=environment) as there:
            there.wait_for_mail(here.send(there.user))
            here.wait_for_mail(there.send(here.user))


def test_a_domain_that_does_not_exist_comes_back_readable(scene):
    with DnsSite({"there.test": ""}) as dns, Site(scene.server.binary, HERE, "here.test", environment=dns.environment()) as here:
        marker = here.send("ben@nowhere.there.test")
        report = here.wait_for_report()[0]
        assert report["Return-Path"] == "<>" and "anna@here.test" in report["To"]
        text = plain_part(report)
        assert "ben@nowhere.there.test" in text and "does not exist" in text, text
        fields = status_part(report).as_string()
        assert "Action: failed" in fields and "Status: 5.1.2" in fields, fields
        assert marker in report.as_string()
        here.wait_for_empty_queue()


def test_mail_waits_while_the_server_is_down_and_arrives_when_it_returns(scene):
    with Site(scene.server.binary, HERE, "here.test") as here, Site(scene.server.binary, THERE, "there.test", user="ben") as there:
        here.route("there.test", hop(THERE, there.smtp_port))
        there.server.stop()
        markers = [here.send(there.user) for _ in range(5)]
        wait_for(lambda: any(r["attempts"] > 1 for m in here.queue() for r in m["recipients"]), "a second attempt")
        assert len(here.queue()) == 5
        there.server.start()
        for marker in markers:
            there.wait_for_mail(marker)
        here.wait_for_empty_queue()
        assert len(there.inbox()) == 5


def test_mail_survives_the_death_of_the_sender(scene):
    with Site(scene.server.binary, HERE, "here.test") as here, Site(scene.server.binary, THERE, "there.test", user="ben") as there:
        here.route("there.test", hop(THERE, there.smtp_port))
        there.server.stop()
        markers = [here.send(there.user) for _ in range(3)]
        here.server.kill()
        there.server.start()
        here.server.start()
        for marker in markers:
            there.wait_for_mail(marker)
        here.wait_for_empty_queue()
        assert len(there.inbox()) == 3


def test_a_dead_server_ends_in_a_delay_and_a_failure_report(scene):
    with Site(scene.server.binary, HERE, "here.test") as here:
        here.set("queue.warn_seconds", "2")
        here.set("queue.expire_seconds", "6")
        here.route("there.test", hop(THERE, free_ports(1)[0]))
        here.send("ben@there.test")
        delayed, failed = here.wait_for_report(2)
        assert "Action: delayed" in status_part(delayed).as_string()
        assert "Action: failed" in status_part(failed).as_string()
        here.wait_for_empty_queue()
        assert len(here.inbox()) == 2


def test_the_next_exchanger_takes_it_when_one_is_down_or_defers(scene):
    port = free_ports(1)[0]
    with DnsSite(zones({"there.test": [(10, "down", "127.0.0.4"), (20, "busy", "127.0.0.5"), (30, "mx", THERE)]})) as dns, \
            PlainHost("127.0.0.5", port, answer=lambda line: "450 4.2.0 not now" if line.startswith("RCPT") else None) as busy, \
            PlainHost(THERE, port) as there, \
            Site(scene.server.binary, HERE, "here.test", smtp_port=port, environment=dns.environment()) as here:
        there.wait_for_mail(here.send("ben@there.test"))
        assert busy.connections == 1 and len(there.messages) == 1


def test_nobody_waits_for_a_slow_destination(scene):
    with PlainHost("127.0.0.4", delay=10) as slow, PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        here.route("slow.test", hop("127.0.0.4", slow.port))
        here.route("there.test", hop(THERE, there.port))
        for _ in range(20):
            here.send("x@slow.test")
        wait_for(lambda: slow.connections > 0, "a connection to the slow host")
        markers = [here.send("ben@there.test") for _ in range(10)]
        for marker in markers:
            there.wait_for_mail(marker)
        assert not slow.messages and slow.connections <= 5
        assert len(here.queue()) == 20


def test_a_recipient_that_is_refused_comes_back_with_the_words_of_the_server(scene):
    refuse = lambda line: "550 5.1.1 Unknown user, sorry" if "nobody@" in line else None  # noqa: E731
    with PlainHost(THERE, answer=refuse) as there, Site(scene.server.binary, HERE, "here.test") as here:
        here.route("there.test", hop(THERE, there.port))
        there.wait_for_mail(here.send("ben@there.test", "nobody@there.test"))
        report = here.wait_for_report()[0]
        assert "Unknown user, sorry" in plain_part(report) and "ben@there.test" not in status_part(report).as_string()


def test_postfix_takes_and_gives_mail(scene):
    with Site(scene.server.binary, HERE, "here.test") as here, \
            Postfix(THERE, "postfix.test", relayhost="[%s]:%d" % (HERE, here.smtp_port)) as postfix:
        here.route("postfix.test", hop(THERE, postfix.port))
        marker = here.send("ben@postfix.test", body="One.\r\n.\r\n..Two.\r\n")
        wait_for(lambda: marker in postfix.mailbox(), "mail in Postfix's mailbox: " + postfix.log())
        assert "\n.\n..Two.\n" in postfix.mailbox()
        here.wait_for_empty_queue()
        marker = mail.unique()
        subprocess.run(["swaks", "--server", THERE, "--port", str(postfix.port), "--from", "ben@postfix.test", "--to", here.user,
                        "--ehlo", "client.test", "--header", "Subject: " + marker], check=True, stdout=subprocess.DEVNULL, timeout=60)
        here.wait_for_mail(marker)
        # Postfix refuses the recipient: a report.
        here.send("nobody@postfix.test")
        assert "postfix.test" in plain_part(here.wait_for_report()[0])


def test_a_sink_gets_everything_once(scene):
    port = free_ports(1)[0]
    sink = subprocess.Popen(["/usr/sbin/smtp-sink", "-c", "-u", "nobody", "%s:%d" % (THERE, port), "100"], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: socket.socket().connect_ex((THERE, port)) == 0, "smtp-sink")
        with Site(scene.server.binary, HERE, "here.test") as here:
            here.route("*", hop(THERE, port))
            for i in range(40):
                here.send("u%d@d%d.test" % (i, i % 4))
            here.wait_for_empty_queue()
    finally:
        sink.terminate()
    said = sink.communicate(timeout=20)[0].decode(errors="replace")
    counts = [int(n) for n in re.findall(r"mesg=(\d+)", said)]
    assert not counts or max(counts) == 40, said[-500:]


def test_the_server_stops_in_order_while_mail_is_on_its_way(scene):
    with PlainHost("127.0.0.4", delay=3) as slow, Site(scene.server.binary, HERE, "here.test") as here:
        here.route("slow.test", hop("127.0.0.4", slow.port))
        here.send("x@slow.test")
        wait_for(lambda: slow.connections > 0, "a connection")
        begin = time.monotonic()
        assert here.server.stop() == 0
        assert time.monotonic() - begin < 12
        slow.delay = 0
        here.server.start()
        wait_for(lambda: slow.messages, "the message after the restart")
        here.wait_for_empty_queue()


def test_the_trace_tells_what_happened(scene):
    with PlainHost(THERE) as there, Site(scene.server.binary, HERE, "here.test") as here:
        here.route("there.test", hop(THERE, there.port))
        marker = here.send("ben@there.test")
        there.wait_for_mail(marker)
        here.wait_for_empty_queue()
        found = here.server.cli_json("trace", "ben@there.test")
        text = str(found)
        assert "accepted" in text and "relayed" in text and THERE in text and "2.0.0 taken" in text, text
    assert os.path.exists(scene.directory)
