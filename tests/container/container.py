"""Images and containers for tests: buildah builds, podman runs. Standard library only; needs root, leaves nothing behind.

The image is made of the final stage of docker/Dockerfile, word for word, over the files that docker/assemble.sh puts together
from a binary that is there already: what the test run can afford. The whole Dockerfile is docker/README.md's business.
"""
import contextlib
import ctypes
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
READY_LIMIT = 60  # seconds; only reached when the container does not start
# runc and cgroupfs work where there is no systemd; the limits because a container's may be below the default that podman asks for.
SETTINGS = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
"""
CLONE_NEWNET = 0x40000000  # setns(2)
HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


@contextlib.contextmanager
def network_of(pid):
    """What is opened and started here is in the network namespace of that process."""
    setns = ctypes.CDLL(None, use_errno=True).setns
    with open("/proc/self/ns/net") as home, open("/proc/%d/ns/net" % pid) as there:
        def enter(namespace):
            if setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        enter(there)
        try:
            yield
        finally:
            enter(home)


class Unavailable(Exception):
    """Containers cannot run here; says why."""


class Containers:
    """An image and what runs of it. Use as a context manager."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.directory = tempfile.mkdtemp(prefix="posthus-container-")
        self.name = "posthus-test-%d" % os.getpid()
        self.image = "localhost/%s:t" % self.name
        self.running, self.volumes, self.network = [], [], None
        self.environment = {**os.environ, "CONTAINERS_CONF": self.path("containers.conf")}
        with open(self.path("containers.conf"), "w") as f:
            f.write(SETTINGS)

    def path(self, name):
        return os.path.join(self.directory, name)

    def run(self, *command, check=True, limit=300):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=limit)
        if check and done.returncode:
            raise RuntimeError("%s: exit %d: %s%s" % (" ".join(command), done.returncode, done.stdout[-3000:], done.stderr[-3000:]))
        return done

    def podman(self, *arguments, **options):
        return self.run("podman", *arguments, **options)

    def __enter__(self):
        if os.geteuid() != 0:
            raise Unavailable("needs root")
        for tool in ("buildah", "podman", "runc"):
            if not shutil.which(tool):
                raise Unavailable(tool + " is not installed")
        try:
            self.build()
            tried = self.podman("run", "--rm", "--name", self.name + "-try", "--network", "none", *HARDENED, self.image, "version", check=False)
            if tried.returncode:
                raise Unavailable("no container runs here: " + tried.stderr.strip().splitlines()[-1])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for container in list(self.running):
            container.remove()
        for volume in self.volumes:
            self.podman("volume", "rm", "-f", volume, check=False)
        if self.network:
            self.podman("rm", "-f", "-v", "-t", "1", self.name + "-holder", check=False)
            self.podman("network", "rm", "-f", self.network, check=False)
        self.podman("rmi", "-f", self.image, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def build(self):
        context = self.path("image")
        os.makedirs(os.path.join(context, "empty"))
        self.run(os.path.join(ROOT, "docker", "assemble.sh"), self.binary, os.path.join(context, "rootfs"))
        with open(os.path.join(ROOT, "docker", "Dockerfile")) as f:
            final = f.read().partition("\nFROM scratch\n")[2]
        final = final.replace("--from=build ", "").replace(" /rootfs/ ", " rootfs/ ").replace(" /empty/ ", " empty/ ")
        with open(os.path.join(context, "Dockerfile"), "w") as f:
            f.write("FROM scratch\n" + final)
        self.run("buildah", "bud", "--isolation", "chroot", "--format", "docker", "-q", "-t", self.image, context)

    def compressed_bytes(self):
        """What a registry would hold: layers as gzip, and the descriptions."""
        target = self.path("pushed")
        self.run("buildah", "push", "-q", self.image, "oci:%s:t" % target)
        blobs = os.path.join(target, "blobs", "sha256")
        return sum(os.path.getsize(os.path.join(blobs, name)) for name in os.listdir(blobs))

    def files(self):
        """Everything in the image, as tarfile members."""
        target = self.path("files.tar")
        made = self.podman("create", "--network", "none", self.image).stdout.strip()
        try:
            self.podman("export", "-o", target, made)
        finally:
            self.podman("rm", "-v", made)
        with tarfile.open(target) as archive:
            return archive.getmembers()

    def described(self):
        return json.loads(self.podman("inspect", self.image).stdout)[0]

    def volume(self):
        name = "%s-%d" % (self.name, len(self.volumes))
        self.podman("volume", "create", name)
        self.volumes.append(name)
        return name

    def make_network(self):
        """A network of the machine alone; its first address is ours."""
        if not self.network:
            self.podman("network", "create", "--internal", self.name)
            self.network = self.name
            # The bridge, and with it our address, is there as long as a container is on it.
            self.podman("run", "-d", "--name", self.name + "-holder", "--network", self.network, *HARDENED, self.image)
        description = json.loads(self.podman("network", "inspect", self.network).stdout)[0]
        self.gateway = description["subnets"][0]["gateway"]
        return self.gateway

    def address(self, number):
        return self.gateway.rpartition(".")[0] + "." + str(number)

    def start(self, volume, *options, environment=None, address=None, network="none"):
        """`address`: of the network of make_network(); without it `network` is a network mode."""
        container = Container(self, "%s-c%d" % (self.name, len(self.running)), address)
        arguments = ["run", "-d", "--name", container.name, "-v", volume if ":" in volume else volume + ":/data", *HARDENED]
        # A hardware address that stays: else nobody finds the container for some seconds after it was started again.
        mac = "02:50:00:00:00:%02x" % int(address.rpartition(".")[2]) if address else ""
        arguments += ["--network", self.network, "--ip", address, "--mac-address", mac] if address else ["--network", network]
        for name, value in (environment or {}).items():
            arguments += ["-e", "%s=%s" % (name, value)]
        self.running.append(container)
        self.podman(*arguments, *options, self.image)
        return container


class Container:
    published = {}  # under which port clients find one of the image's, where it is another

    def __init__(self, containers, name, address):
        self.containers, self.name, self.address = containers, name, address

    def port(self, inside):
        return self.published.get(inside, inside)

    def podman(self, verb, *arguments, **options):
        return self.containers.podman(verb, *arguments, self.name, **options)

    def state(self):
        return json.loads(self.podman("inspect").stdout)[0]["State"]

    def wait_until_healthy(self):
        """As the engine's health check finds it."""
        end = time.monotonic() + READY_LIMIT
        while self.podman("healthcheck", "run", check=False).returncode != 0:
            if not self.state()["Running"] or time.monotonic() > end:
                raise RuntimeError("the container does not serve:\n" + self.log()[-3000:])
            time.sleep(0.05)  # polling for readiness, bounded by READY_LIMIT
        return self

    def wait_until_ended(self):
        return int(self.podman("wait").stdout.strip())

    def log(self):
        done = self.podman("logs", check=False)
        return done.stdout + done.stderr

    def token(self):
        return re.findall(r"one-time token:  (\S+)", self.log())[-1]

    def cli(self, *arguments):
        return self.podman_exec("posthus", *arguments, check=True).stdout

    def podman_exec(self, *words, check=False):
        return self.containers.podman("exec", self.name, *words, check=check)

    def status(self):
        """Of the server's process, as /proc tells it."""
        with open("/proc/%d/status" % self.state()["Pid"]) as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)

    def resident_mib(self, what="VmRSS"):
        return int(self.status()[what].split()[0]) / 1024

    def kill(self):
        self.podman("kill", "-s", "KILL")
        self.wait_until_ended()

    def start(self):
        self.podman("start")
        return self.wait_until_healthy()

    def stop(self):
        """Seconds until SIGTERM has ended it, and its exit code."""
        began = time.monotonic()
        self.podman("stop", "-t", "30")
        return time.monotonic() - began, self.state()["ExitCode"]

    def remove(self):
        self.podman("rm", "-f", "-t", "1", check=False)
        if self in self.containers.running:
            self.containers.running.remove(self)
