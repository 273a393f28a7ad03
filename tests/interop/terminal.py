"""A program on a terminal of its own: keys in, screen text out. Waits for what is on the screen, never for time."""
import os
import pty
import re
import select
import signal
import time

LIMIT = 60  # seconds until a screen that does not come fails the test

# Cursor movements become a space, so that words stay apart; other control sequences vanish.
MOVES = re.compile(rb"\x1b\[[0-9;]*[ABCDGHdf]|\x1b[EDM]|[\r\n\t\x08]+")
CONTROLS = re.compile(rb"\x1b\[[0-9;?>=]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x00-\x08\x0e-\x1a]")


class Terminal:
    def __init__(self, command, environment, directory):
        self.seen = b""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe(command[0], command, dict(environment, TERM="vt100", LINES="24", COLUMNS="80"))
        self.code = None

    def _read(self, until):
        ready, _, _ = select.select([self.descriptor], [], [], max(0, until - time.monotonic()))
        if not ready:
            return b""
        try:
            return os.read(self.descriptor, 65536)
        except OSError:  # the program has ended
            return b""

    def expect(self, pattern):
        """Waits until `pattern` (bytes, a regular expression) appears in what was written since the last call."""
        until = time.monotonic() + LIMIT
        while True:
            text = CONTROLS.sub(b"", MOVES.sub(b" ", self.seen))
            found = re.search(pattern, text)
            if found:
                self.seen = b""
                return found
            more = self._read(until)
            assert more, "no %r on the screen, but: %r" % (pattern, text[-2000:])
            self.seen += more

    def send(self, keys):
        os.write(self.descriptor, keys)

    def rest(self):
        """What it writes until it closes the terminal."""
        until = time.monotonic() + LIMIT
        text = b""
        while more := self._read(until):
            text += more
        return text

    def end(self):
        """Waits for the program's end; its exit code."""
        until = time.monotonic() + LIMIT
        while self._read(until):
            pass
        while self.code is None and time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            else:
                select.select([], [], [], 0.02)
        return self.code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)
