#!/usr/bin/env python3
"""Functions have 80 lines at most, files 700 (.h .cc .ts .tsx .py .sh). Exceptions: exceptions.txt, law "size"."""
import ast
import re

import source_text

MAX_FUNCTION = 80
MAX_FILE = 700
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern|interface)\b")
INITIALISER = re.compile(r"\)[^;{}]*:\s*[^;{}]*[\w>]\s*$", re.S)
CONTROL = re.compile(r"^\s*(if|for|while|switch|catch|else|do|try|return)\b")
NAME = re.compile(r"([\w~:]+|operator[^\s(]+)\s*\(")


def brace_functions(text, is_function):
    """(name, first line, last line) of every outermost block that is_function(head, enclosing kinds) accepts."""
    stack = []
    head_begin = 0
    for i, c in enumerate(text):
        if c == "{":
            head = text[head_begin:i]
            kinds = [kind for kind, _, _ in stack]
            kind = is_function(head, kinds)
            stack.append((kind, head_begin + len(head) - len(head.lstrip()), head))
            if kind != "initialiser":
                head_begin = i + 1
        elif c == "}" and stack:
            kind, begin, head = stack.pop()
            if kind == "function":
                name = NAME.search(head)
                yield (name.group(1) if name else "?"), text.count("\n", 0, begin) + 1, text.count("\n", 0, i) + 1
            if kind != "initialiser":
                head_begin = i + 1
        elif c == ";" and "initialiser" not in [kind for kind, _, _ in stack]:
            head_begin = i + 1


def cxx_kind(head, kinds):
    if any(kind in ("function", "block") for kind in kinds):
        return "block"
    if "(" in head and INITIALISER.search(head):
        return "initialiser"
    if SCOPE.search(re.sub(r"\([^()]*\)|<[^<>]*>", "", head)) and not re.search(r"\)\s*(const|noexcept|override|final|\s)*$", head):
        return "scope"
    return "function" if ")" in head else "block"


def script_kind(head, kinds):
    if "function" in kinds or CONTROL.match(head):
        return "block"
    is_function = head.rstrip().endswith("=>") or re.search(r"\bfunction\b", head) or re.search(r"\w\s*\([^;]*\)\s*(:[^;={}]+)?$", head)
    return "function" if is_function else "scope"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


def shell_functions(text):
    name, begin = None, 0
    for number, line in enumerate(text.split("\n"), 1):
        opened = re.match(r"(?:function\s+)?([\w-]+)\s*\(\)\s*\{?\s*$", line)
        if opened:
            name, begin = opened.group(1), number
        elif name and line == "}":
            yield name, begin, number
            name = None


def functions(path, text):
    if path.endswith(".py"):
        return python_functions(text)
    if path.endswith(".sh"):
        return shell_functions(text)
    kind = cxx_kind if path.endswith((".h", ".cc")) else script_kind
    return brace_functions(source_text.without_comments(text), kind)


def main():
    allowed = source_text.exceptions("size")
    findings = []
    for path in source_text.files(".h", ".cc", ".ts", ".tsx", ".py", ".sh"):
        text = source_text.read(path)
        lines = text.count("\n") + (0 if text.endswith("\n") else 1)
        if lines > MAX_FILE and path not in allowed:
            findings.append(f"{path}: {lines} lines, {MAX_FILE} at most")
        for name, begin, end in functions(path, text):
            if end - begin + 1 > MAX_FUNCTION and f"{path}:{name}" not in allowed:
                findings.append(f"{path}:{begin}: {name} has {end - begin + 1} lines, {MAX_FUNCTION} at most")
    source_text.report(findings)


if __name__ == "__main__":
    main()
