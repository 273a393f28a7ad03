"""The README's `docker run` and docker/compose.yaml with Docker itself, on a machine of their own (published_test.py).

Debian's docker.io is unpacked, not installed: installed it would start its daemon and change this machine's packet filter.
"""
import contextlib
import glob
import os
import shutil
import subprocess
import time

from container import READY_LIMIT, Unavailable
from published_test import Compose, Published, machine_and_client, network_of, readme_command, try_it

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PACKAGES = ["docker.io", "containerd"]
PROGRAMS = ["dockerd", "docker", "containerd", "containerd-shim-runc-v2", "docker-proxy"]


def unpacked():
    """A folder with Debian's Docker, made once."""
    folder = os.path.abspath(os.path.join(ROOT, "build", "docker"))
    if not os.path.exists(os.path.join(folder, "complete")):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        done = subprocess.run(["apt-get", "download", "-qq", *PACKAGES], cwd=folder, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise Unavailable("Debian's docker.io cannot be had: " + done.stderr.strip()[-300:])
        for package in glob.glob(os.path.join(folder, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True, timeout=120)
            os.remove(package)
        open(os.path.join(folder, "complete"), "w").close()
    return folder


class Docker:
    """A daemon of its own that lives in the network namespace it is started in; to be stopped."""

    def __init__(self, containers):
        self.containers, self.process = containers, None
        folder = unpacked()
        path = ":".join(os.path.join(folder, "usr", place) for place in ("bin", "sbin")) + ":" + os.environ["PATH"]
        missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
        if missing:
            raise Unavailable("Docker is not complete: " + ", ".join(missing))
        self.environment = {**os.environ, "PATH": path}
        self.listening = containers.path("docker.sock")

    def run(self, *arguments, check=True, **options):
        # The full name: a search for a program goes by this process's own PATH.
        done = subprocess.run([shutil.which("docker", path=self.environment["PATH"]), "-H", "unix://" + self.listening, *arguments],
                              env=self.environment, capture_output=True, text=True, timeout=300, **options)
        if check and done.returncode:
            raise RuntimeError("docker %s: exit %d: %s%s" % (" ".join(arguments), done.returncode, done.stdout[-3000:], done.stderr[-3000:]))
        return done

    def start(self):
        where = self.containers.path
        with open(where("docker.log"), "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which("dockerd", path=self.environment["PATH"]), "-H", "unix://" + self.listening, "--data-root", where("docker"),
                 "--exec-root", where("docker-run"), "--pidfile", where("docker.pid")],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + READY_LIMIT
        while self.run("version", check=False).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                with open(where("docker.log")) as log:
                    raise Unavailable("dockerd does not run here: " + log.read()[-500:])
            time.sleep(0.1)  # polling for readiness, bounded by READY_LIMIT
        return self

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=30)
        self.process.kill()
        self.process.wait()

    def load(self):
        """The image under test, as `posthus`."""
        archive = self.containers.path("docker.tar")
        self.containers.podman("save", "-q", "--format", "docker-archive", "-o", archive, self.containers.image)
        self.run("load", "-q", "-i", archive)
        os.remove(archive)
        self.run("tag", self.containers.image, "posthus")
        tried = self.run("run", "--rm", "posthus", "version", check=False)
        if tried.returncode:
            raise Unavailable("Docker runs no container here: " + tried.stderr.strip()[-300:])


class Docked(Published):
    """A container of Docker's, seen from outside."""

    def __init__(self, docker, name):
        super().__init__(docker.containers, name)
        self.docker = docker

    def podman(self, verb, *arguments, **options):
        if verb == "healthcheck":  # podman's way to run at once what Docker runs by itself
            return self.docker.run("exec", self.name, "posthus", "health", **options)
        return self.docker.run(verb, *arguments, self.name, **options)


def wait_until_docker_calls_it_healthy(container):
    end = time.monotonic() + READY_LIMIT
    while container.state()["Health"]["Status"] != "healthy":
        assert time.monotonic() < end, container.state()
        time.sleep(0.2)  # polling, bounded by READY_LIMIT


def test_the_docker_run_of_the_readme_with_docker(containers):
    docker = Docker(containers)
    with machine_and_client() as (machine, client):
        with network_of(machine.pid):
            docker.start()
        try:
            with network_of(machine.pid):
                docker.load()
                docker.run(*readme_command()[1:])
            container = Docked(docker, "posthus")
            try_it(container, machine, client)
            wait_until_docker_calls_it_healthy(container)
            docker.run("stop", "posthus")
            assert container.state()["ExitCode"] == 0, container.state()
            docker.run("rm", "-v", "posthus")
            with network_of(machine.pid):
                Compose(containers, docker.listening).try_it(lambda name: Docked(docker, name), machine, client)
        finally:
            docker.run("rm", "-f", "posthus", check=False)
            docker.stop()
