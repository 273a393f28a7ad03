"""What the lints share: the project's files, C++ and TypeScript without comments and texts, findings."""
import os
import re
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

_TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'""", re.S)


def files(*extensions):
    """Tracked files with one of the extensions, as paths from the root. Data of tests is not source."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [path for path in listed if path.endswith(extensions) and not path.startswith(("tests/golden/", "tests/fuzz/corpus/"))
            and os.path.isfile(os.path.join(ROOT, path))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def _blank(match):
    text = match.group(0)
    return ('""' if text[0] in "\"'R" else "") + "\n" * text.count("\n")


def without_comments(text):
    """The code alone: comments gone, texts empty, line numbers unchanged."""
    return _TOKENS.sub(_blank, text)


def comments(text):
    """(line number, comment) of every line of a comment."""
    for match in _TOKENS.finditer(text):
        if match.group(0).startswith(("//", "/*")):
            first = text.count("\n", 0, match.start()) + 1
            for offset, line in enumerate(match.group(0).split("\n")):
                yield first + offset, line


def exceptions(law):
    """path[:function] -> reason, from exceptions.txt: lines "law path[:function] reason"."""
    allowed = {}
    with open(os.path.join(ROOT, "tests", "lint", "exceptions.txt"), encoding="utf-8") as file:
        for line in file:
            words = line.strip().split(None, 2)
            if len(words) == 3 and words[0] == law:
                allowed[words[1]] = words[2]
    return allowed


def report(findings):
    """Prints the findings and ends the program: 1 when there are any."""
    for finding in findings:
        print(finding)
    print(f"{os.path.basename(sys.argv[0])}: {len(findings)} findings")
    sys.exit(1 if findings else 0)
