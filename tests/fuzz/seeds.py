#!/usr/bin/env python3
"""Writes what the clients of the dialogs say as seeds for the session fuzzers.

usage: seeds.py DIRECTORY     makes DIRECTORY/<protocol>_session_fuzz/<dialog>; one connection each, the first byte as
the target reads it. Server lines, directives and ${1} are left alone: a seed need not be a whole dialog.
"""
import base64
import codecs
import os
import re
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CLIENT = re.compile(r"C(\d?)([:=]|\*\d+)(?: (.*)|)$")


def plain(match):
    login, password = match.group(1), match.group(2)
    return base64.b64encode(f"\0{login}\0{password}".encode()).decode()


def substitute(text):
    text = re.sub(r"\$\{plain:([^:}]*):([^}]*)\}", plain, text)
    return re.sub(r"\$\{base64:([^}]*)\}", lambda match: base64.b64encode(match.group(1).encode()).decode(), text)


def unescape(text):
    return codecs.escape_decode(text.encode("utf-8"))[0]


def sent(line):
    """(connection, bytes) of a client line, else None."""
    match = CLIENT.match(line)
    if not match:
        return None
    kind, text = match.group(2), substitute(match.group(3) or "")
    if kind == ":":
        return match.group(1) or "1", text.encode() + b"\r\n"
    return match.group(1) or "1", unescape(text) * (1 if kind == "=" else min(int(kind[1:]), 100))


def choice(protocol, connect, wire):
    """The first byte. Bytes after STARTTLS in one piece are thrown away, so such seeds come byte by byte."""
    upgrades = re.search(rb"(?i)starttls|stls", wire) is not None
    is_implicit = "tls=implicit" in connect
    if protocol == "smtp":
        return ("role=submission" in connect) | is_implicit << 1 | upgrades << 2
    if protocol == "pop3":
        return is_implicit | upgrades << 2
    return 8 | upgrades << 4


def seeds(protocol, path):
    wires, connects = {}, {}
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            if line.startswith("@connect "):
                connects[line.split()[1]] = line
            piece = sent(line)
            if piece:
                wires[piece[0]] = wires.get(piece[0], b"") + piece[1]
    for connection, wire in wires.items():
        yield connection, bytes([choice(protocol, connects.get(connection, ""), wire)]) + wire


def main():
    for protocol in ("smtp", "pop3", "imap"):
        target = os.path.join(sys.argv[1], protocol + "_session_fuzz")
        os.makedirs(target, exist_ok=True)
        folder = os.path.join(ROOT, "tests", "sessions", protocol)
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".session"):
                continue
            for connection, seed in seeds(protocol, os.path.join(folder, name)):
                with open(os.path.join(target, f"{name[:-8]}-{connection}"), "wb") as file:
                    file.write(seed)


if __name__ == "__main__":
    main()
