"""The README's `docker run` and docker/compose.yaml, word for word, on a machine of their own (a network namespace) with a client on the
other side of a wire: set up and used through the published ports, killed, started again."""
import contextlib
import http.client
import imaplib
import os
import re
import resource
import shlex
import shutil
import smtplib
import socket
import subprocess
import time

from clients import PASSWORD, call, messages
from container import READY_LIMIT, Container, Unavailable, network_of
from posthus_server import PosthusServer

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MACHINE, CLIENT = "203.0.113.1", "203.0.113.9"
ANNA = "anna@example.org"


@contextlib.contextmanager
def machine_and_client():
    """Processes that hold a namespace each, joined by a wire."""
    holders = [subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 900"], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for holder in holders:
            holder.stdout.readline()  # from now on it is in its own
        machine, client = holders

        def ip(process, *command):
            subprocess.run(["nsenter", "-t", str(process.pid), "-n", "ip", *command], check=True, timeout=30, capture_output=True)

        ip(machine, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(client.pid))
        for process, address in ((machine, MACHINE), (client, CLIENT)):
            ip(process, "link", "set", "lo", "up")
            ip(process, "addr", "add", address + "/24", "dev", "eth0")
            ip(process, "link", "set", "eth0", "up")
        ip(machine, "route", "add", "default", "via", CLIENT)
        yield machine, client
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
            holder.stdout.close()


class Published(Container):
    """A container seen from outside: the ports as the README publishes them."""

    published = {2025: 25, 2465: 465, 2587: 587, 2110: 110, 2995: 995, 2143: 143, 2993: 993, 2080: 80, 2443: 443}

    def __init__(self, containers, name):
        super().__init__(containers, name, MACHINE)


def readme_command():
    """The words of README.md's `docker run`."""
    with open(os.path.join(ROOT, "README.md")) as f:
        return shlex.split(re.search(r"^docker run (?:.*\\\n)+.*$", f.read(), re.MULTILINE)[0].replace("\\\n", " "))


def wait_until_it_serves(container):
    end = time.monotonic() + READY_LIMIT
    while container.podman("healthcheck", "run", check=False).returncode != 0:
        assert time.monotonic() < end, container.log()[-3000:]
        time.sleep(0.05)  # polling for readiness, bounded by READY_LIMIT


def try_it(container, machine, client):
    """Set-up by API, mail in, mail out to oneself, all readers; the client's own address in the trace; kill -9 and again."""
    with network_of(machine.pid):
        wait_until_it_serves(container)
        token = container.token()
        told = re.findall(r"with a browser:  (\S+)", container.log())[-1]
    assert told == "https://mail.example.org/#setup=" + token, told
    with network_of(client.pid):
        browser = http.client.HTTPSConnection(MACHINE, 443, timeout=30, context=PosthusServer.tls())
        browser.request("GET", "/", headers={"Host": "mail.example.org"})
        page = browser.getresponse()
        assert page.status == 200 and b"<script" in page.read(), page.status
        browser.close()
        call(container, "PUT", "setup/admin", {"address": "admin@example.org", "password": PASSWORD}, token)
        call(container, "PUT", "setup/mailbox", {"address": ANNA, "password": PASSWORD}, token)
        call(container, "POST", "setup/finish", None, token)
        with smtplib.SMTP(MACHINE, 25, "client.test", timeout=30) as smtp:
            assert "mail.example.org" in smtp.ehlo()[1].decode()
            smtp.starttls(context=PosthusServer.tls())
            smtp.sendmail("ben@elsewhere.test", [ANNA], b"Subject: in\r\n\r\nhello\r\n")
        with smtplib.SMTP_SSL(MACHINE, 465, "client.test", timeout=30, context=PosthusServer.tls()) as smtp:
            smtp.login(ANNA, PASSWORD)
            smtp.sendmail(ANNA, [ANNA], b"From: " + ANNA.encode() + b"\r\nSubject: out\r\n\r\nhello\r\n")
        end = time.monotonic() + READY_LIMIT
        while messages(container, ANNA) != 2:
            assert time.monotonic() < end, "still waiting for the message"
            time.sleep(0.05)  # polling, bounded by READY_LIMIT
        reader = imaplib.IMAP4_SSL(MACHINE, 993, ssl_context=PosthusServer.tls())
        reader.login(ANNA, PASSWORD)
        reader.select("INBOX", readonly=True)
        received = reader.fetch("1", "(BODY.PEEK[HEADER.FIELDS (RECEIVED)])")[1][0][1].decode()
        reader.logout()
        assert "[%s]" % CLIENT in received, received
        for port in (80, 110, 143, 587, 995):
            socket.create_connection((MACHINE, port), timeout=30).close()
    with network_of(machine.pid):
        container.podman("kill", "-s", "KILL")
        container.podman("wait")
        container.podman("start")
        wait_until_it_serves(container)
    with network_of(client.pid):
        assert messages(container, ANNA) == 2, "everything is there"


def test_the_docker_run_of_the_readme(containers):
    words = readme_command()
    name, volume = containers.name + "-readme", containers.volume()
    assert words[:2] == ["docker", "run"] and words[-1] == "posthus" and "posthus:/data" in words, words
    changed = {"posthus:/data": volume + ":/data"}
    arguments = [changed.get(word, word) for word in words[1:-1]]
    arguments[arguments.index("--name") + 1] = name
    container = Published(containers, name)
    with machine_and_client() as (machine, client):
        try:
            with network_of(machine.pid):
                containers.podman(*arguments, containers.image)
            try_it(container, machine, client)
        finally:
            with network_of(machine.pid):
                container.remove()


class Compose:
    """docker/compose.yaml with the image under test, for the engine that listens at that socket."""

    FILE = os.path.join(ROOT, "docker", "compose.yaml")

    def __init__(self, containers, listening):
        self.project, self.override = containers.name.replace("-", ""), containers.path("image.yaml")
        self.environment = {**containers.environment, "DOCKER_HOST": "unix://" + listening, "POSTHUS_HOSTNAME": "mail.example.org"}
        with open(self.override, "w") as f:
            # Where these tests run in a container themselves nobody may have more, and the file asks for 65536.
            limit = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
            f.write("services: {posthus: {image: '%s', ulimits: {nproc: 4096, nofile: {soft: %d, hard: %d}}}}\n" % (
                containers.image, limit, limit))

    def run(self, *arguments):
        done = subprocess.run(["docker-compose", "-p", self.project, "-f", self.FILE, "-f", self.override, *arguments],
                              env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_it(self, made, machine, client):
        """`made`: the Container of a name."""
        try:
            self.run("up", "-d")
            container = made(self.run("ps", "-q").strip())
            try_it(container, machine, client)
            self.run("stop")
            assert container.state()["ExitCode"] == 0, container.state()
        finally:
            with contextlib.suppress(AssertionError, subprocess.SubprocessError):
                self.run("down", "-v")


def test_compose_as_it_stands(containers):
    if not shutil.which("docker-compose"):
        raise Unavailable("docker-compose is not installed")
    with machine_and_client() as (machine, client), network_of(machine.pid):
        listening = containers.path("podman.sock")
        service = subprocess.Popen(["podman", "system", "service", "--time", "0", "unix://" + listening], env=containers.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + READY_LIMIT
            while not os.path.exists(listening):
                assert service.poll() is None and time.monotonic() < end, "podman's service does not listen"
                time.sleep(0.05)  # polling for readiness, bounded by READY_LIMIT
            Compose(containers, listening).try_it(lambda name: Published(containers, name), machine, client)
        finally:
            service.kill()
            service.wait()
