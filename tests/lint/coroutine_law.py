#!/usr/bin/env python3
"""Coroutines live in core/net. In a statement with co_await: no capturing lambda, no braces, no ternary; no guard, snapshot
or transaction is held across one. Found by reading text, so it errs on the strict side. Exceptions: exceptions.txt, law "coroutine"."""
import re

import source_text

COROUTINE = re.compile(r"\bco_(await|return|yield)\b")
AWAIT = re.compile(r"\bco_await\b")
CAPTURE = re.compile(r"(?<![\w\])])\[[^\[\]]+\]\s*(\([^()]*\))?\s*(mutable|noexcept|->[^{]*)?\s*\{")
GUARD = re.compile(r"\b(std::(lock_guard|unique_lock|scoped_lock|shared_lock)|MutexLock|WriteTxn|Snapshot)\b[^;(){}*&]*\s\w+\s*[({=;]")
OPENING, CLOSING = "({[", ")}]"


def statement(code, position):
    """Text of the statement around a co_await: (begin, end)."""
    begin = max(code.rfind(c, 0, position) for c in ";{}") + 1
    depth = 0
    for end in range(position, len(code)):
        c = code[end]
        if c in OPENING:
            depth += 1
        elif c in CLOSING:
            depth -= 1
        if depth < 0 or (c == ";" and depth == 0):
            return begin, end
    return begin, len(code)


def has_brace_argument(text):
    depth = 0
    for c in text:
        depth += 1 if c == "(" else -1 if c == ")" else 0
        if c == "{" and depth > 0:
            return True
    return False


def held_guards(path, code):
    """A co_await behind the declaration of a guard in the same block or one inside it."""
    for guard in GUARD.finditer(code):
        depth = 0
        for end in range(guard.end(), len(code)):
            depth += 1 if code[end] == "{" else -1 if code[end] == "}" else 0
            if depth < 0:
                break
        if AWAIT.search(code, guard.end(), end):
            line = code.count("\n", 0, guard.start()) + 1
            yield f"{path}:{line}: {guard.group(1)} held across a co_await"


def breaches(path, code):
    is_home = path.startswith(("core/net/", "tests/"))
    for match in COROUTINE.finditer(code):
        line = code.count("\n", 0, match.start()) + 1
        if not is_home:
            yield f"{path}:{line}: coroutine outside core/net"
        if match.group(1) != "await":
            continue
        begin, end = statement(code, match.start())
        whole, argument = code[begin:end], code[match.start():end]
        if "?" in whole:
            yield f"{path}:{line}: co_await in a ternary"
        if CAPTURE.search(argument):
            yield f"{path}:{line}: capturing lambda in a co_await expression"
        elif has_brace_argument(argument):
            yield f"{path}:{line}: braces in the arguments of a co_await expression"
    yield from held_guards(path, code)


def main():
    allowed = source_text.exceptions("coroutine")
    findings = []
    for path in source_text.files(".h", ".cc"):
        if path not in allowed:
            findings += breaches(path, source_text.without_comments(source_text.read(path)))
    source_text.report(findings)


if __name__ == "__main__":
    main()
