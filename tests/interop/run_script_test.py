"""run.sh as a newcomer uses it: started, what it shows typed, stopped, started again. Building is left out: the binary is there."""
import imaplib
import os
import re
import shutil
import socket
import subprocess

from ports import free_ports
from posthus_server import LISTENERS, PosthusServer
from terminal import Terminal

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
USERS = ["admin@example.test", "anna@example.test", "ben@example.test"]


class Clone:
    """A folder with what run.sh needs of a clone; cmake and dpkg-query find that there is nothing to do."""

    def __init__(self, scene):
        self.directory = os.path.join(scene.directory, "clone")
        os.makedirs(os.path.join(self.directory, "tests", "support"))
        os.makedirs(os.path.join(self.directory, "build", "release"))
        for name in ("run.sh", "tests/support/packages.sh"):
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.directory, name))
        os.symlink(scene.server.binary, os.path.join(self.directory, "build", "release", "posthus"))
        tools = os.path.join(scene.directory, "tools")
        os.mkdir(tools)
        for name, text in (("cmake", "exit 0"), ("dpkg-query", "echo install ok installed")):
            with open(os.path.join(tools, name), "w") as f:
                f.write("#!/bin/sh\n%s\n" % text)
            os.chmod(os.path.join(tools, name), 0o755)
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("POSTHUS_")}
        self.environment.update({"PATH": tools + ":" + os.environ["PATH"], "HOME": scene.directory, "POSTHUS_LISTEN": "127.0.0.1"})
        for name, port in self.ports.items():
            self.environment["POSTHUS_PORTS_" + name.upper()] = str(port)

    def run(self, *arguments, code=0):
        # Into a file: the server that it starts would hold a pipe open.
        with open(os.path.join(self.directory, "output"), "w+") as out:
            done = subprocess.run(["./run.sh", *arguments], cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT, timeout=120)
            out.seek(0)
            text = out.read()
        assert done.returncode == code, (arguments, done.returncode, text)
        return text

    def typed(self, line, password):
        """What a line shows that asks for a password."""
        with Terminal(["bash", "-c", line], self.environment, self.directory) as screen:
            screen.expect(b"password")
            screen.send(password.encode() + b"\r")
            shown = screen.rest()
            assert screen.end() == 0, (line, shown)
        return shown.decode()

    def settings(self, text):
        with open(os.path.join(self.directory, "data", "posthus.toml"), "w") as f:
            f.write(text)

    def login(self, user, password):
        client = imaplib.IMAP4_SSL("127.0.0.1", self.ports["imaps"], ssl_context=PosthusServer.tls())
        client.login(user, password)
        client.select()
        return client


def test_run_script_from_a_clone_to_mail_and_back(scene):
    clone = Clone(scene)
    assert "not running" in clone.run("--status", code=1)
    assert "not running" in clone.run("--stop")
    clone.run("--bogus", code=2)
    shown = clone.run()
    try:
        passwords = dict(re.findall(r"^  (\S+@\S+) +(\S+)$", shown, re.M))
        assert sorted(passwords) == USERS, shown
        for name in LISTENERS:
            assert re.search(r"^  %s +%d " % (name, clone.ports[name]), shown, re.M), (name, shown)
        lines = re.findall(r"^  ((?:swaks|curl) .*)$", shown, re.M)
        assert len(lines) == 3, shown
        done = subprocess.run(lines[0], shell=True, cwd=clone.directory, env=clone.environment, capture_output=True, timeout=60)
        assert done.returncode == 0, done
        assert "To: anna@example.test" in clone.typed(lines[1], passwords["anna@example.test"])
        assert '"version"' in clone.typed(lines[2], passwords["admin@example.test"])
        data = os.path.join(clone.directory, "data")
        assert os.stat(data).st_mode & 0o777 == 0o700 and os.stat(os.path.join(data, "admin.sock")).st_mode & 0o777 == 0o600

        assert "running already" in clone.run() and "is running" in clone.run("--status")
        clone.settings('hostname = "localhost"\nnonsense = 1\n')
        for words in (["--status"], ["--stop"]):
            assert "posthus.toml:2" in clone.run(*words, code=2), words  # and not: "not running"
        clone.settings('hostname = "localhost"\n')
        assert "has stopped" in clone.run("--stop") and "not running" in clone.run("--status", code=1)

        with socket.create_server(("127.0.0.1", clone.ports["imaps"])):
            assert "Port %d (imaps) is taken" % clone.ports["imaps"] in clone.run(code=1)
        shown = clone.run()
        assert "passwords" not in shown and "is ready" in shown, shown
        client = clone.login("anna@example.test", passwords["anna@example.test"])
        assert client.search(None, "ALL")[1][0].split() == [b"1"]
        client.logout()
    finally:
        clone.settings("")
        clone.run("--stop")


def test_run_script_in_the_foreground(scene):
    clone = Clone(scene)
    with Terminal(["./run.sh", "--foreground"], clone.environment, clone.directory) as screen:
        screen.expect(b"passwords are shown only now.*server.ready")
        assert "is running" in clone.run("--status")
        screen.send(b"\x03")
        assert screen.end() == 0
    assert "not running" in clone.run("--status", code=1)
