"""The resident set of a process, looked at all the time: a moment between two steps says nothing about what a step takes."""
import threading

INTERVAL = 0.05  # seconds


def resident_mib(pid):
    """MiB by name: VmRSS, of it RssAnon (its own) and RssFile (mapped files, the program among them)."""
    with open("/proc/%d/status" % pid) as status:
        lines = dict(line.split(":", 1) for line in status)
    return {name: int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon", "RssFile")}


class Watched:
    """Most of each, and how many looks there were; from the start or from the last most()."""

    def __init__(self, pid):
        self.pid, self.lock, self.peaks, self.looks = pid, threading.Lock(), {}, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def watch(self):
        while not self.ended.wait(INTERVAL):
            self.look()

    def look(self):
        try:
            now = resident_mib(self.pid)
        except (FileNotFoundError, ProcessLookupError, KeyError):  # it has ended; `pid` may be set anew
            return
        with self.lock:
            self.looks += 1
            self.peaks = {name: max(value, self.peaks.get(name, 0)) for name, value in now.items()}

    def most(self):
        """The peaks since the last call, and the number of looks they are of."""
        self.look()
        with self.lock:
            peaks, looks = self.peaks, self.looks
            self.peaks, self.looks = {}, 0
        return peaks, looks
