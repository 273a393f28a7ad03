"""Loopback ports for tests. Standard library only.

A port is asked for a while before its server listens on it, so "free now" is not enough: two servers of one test, or of two tests that
run beside each other, must not be given the same. The next port to give stands in one file of the user's.
"""
import contextlib
import errno
import fcntl
import os
import socket
import tempfile

# Below the range that connections take theirs from (32768 on, ip(7)): a server that is started again must find its ports
# free while other tests connect. Once around is some thousand tests, so a port comes again long after its server has ended.
FIRST, END = 10_000, 32_000
NEXT = os.path.join(tempfile.gettempdir(), "posthus-test-ports-%d" % os.getuid())


def is_free(port, address):
    """Whether nobody listens there now, neither over TCP nor over UDP."""
    with contextlib.ExitStack() as stack:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            s = stack.enter_context(socket.socket(type=kind))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
            try:
                s.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    s.listen(1)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                return False
    return True


def free_ports(count, address="127.0.0.1"):
    """`count` ports that nobody listens on and that nobody else was given."""
    descriptor = os.open(NEXT, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        port = int(text) if text.isdigit() else FIRST
        ports, tried = [], 0
        while len(ports) < count:
            if tried == END - FIRST:
                raise RuntimeError("every test port is taken")
            port = port if FIRST <= port < END else FIRST
            if is_free(port, address):
                ports.append(port)
            port += 1
            tried += 1
        file.seek(0)
        file.truncate()
        file.write(str(port))
    return ports


def free_port(address="127.0.0.1"):
    """One of them, free for both UDP and TCP."""
    return free_ports(1, address)[0]
