#!/usr/bin/env python3
"""Which folder may include which (ARCHITECTURE.md), and which libraries stay out of headers. Exceptions: exceptions.txt, law "include"."""
import re

import source_text

CORE = {"core/base", "core/session", "core/mail", "core/dns", "core/sasl", "core/mailauth", "core/acme", "core/filter", "core/spam", "core/net"}
PURE = {"core/base", "core/mail", "core/dns"}
LAW = {
    "core/base": {"core/base"},
    "core/session": {"core/session"},
    "core/mail": {"core/base", "core/mail"},
    "core/dns": {"core/base", "core/dns"},
    "core/sasl": {"core/base", "core/sasl"},
    "core/acme": PURE | {"core/acme"},
    "core/mailauth": PURE | {"core/mailauth"},
    "core/filter": PURE | {"core/filter"},
    "core/spam": PURE | {"core/spam"},
    "core/net": {"core/base", "core/session", "core/net"},
    "store": {"core/base", "core/mail", "store"},
    "smtp": (CORE - {"core/net"}) | {"store", "smtp"},
    "pop3": {"core/base", "core/session", "core/mail", "core/sasl", "store", "pop3"},
    "imap": {"core/base", "core/session", "core/mail", "core/sasl", "store", "imap"},
    "web-admin": CORE | {"store", "web-admin"},
}
HEAVY = re.compile(r"^(asio|httplib|nlohmann(?!/json_fwd)|spdlog|fmt/|CLI|toml)")
ASIO_FOLDERS = {"core/net"}  # its headers too: nobody but core/main and tests may include them
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def folder_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "core" else parts[0]


def project_folder(target):
    folder = folder_of(target)
    return folder if folder in LAW or folder in ("core/main", "tests") else None


def breaches(path, text):
    folder = folder_of(path)
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        kind, target = match.groups()
        if kind == '"' and folder in LAW:
            included = project_folder(target)
            if included is None:
                yield f"{path}:{line}: \"{target}\" is no path from the root"
            elif included not in LAW[folder]:
                yield f"{path}:{line}: {folder} may not include {target}"
        if kind != "<":
            continue
        is_at_home = target.startswith("asio") and folder in ASIO_FOLDERS
        if HEAVY.match(target) and path.endswith(".h") and folder != "tests" and not is_at_home:
            yield f"{path}:{line}: <{target}> in a header"
        if target.startswith("asio") and folder not in ASIO_FOLDERS | {"tests", "core/main"}:
            yield f"{path}:{line}: <{target}> outside core/net"
        if target.startswith(("gtest", "gmock")) and folder != "tests":
            yield f"{path}:{line}: <{target}> outside tests"
        if folder == "core/session" and ("/" in target or target.endswith(".h")):
            yield f"{path}:{line}: core/session includes the standard library only, not <{target}>"


def main():
    allowed = source_text.exceptions("include")
    findings = []
    for path in source_text.files(".h", ".cc"):
        if path not in allowed:
            findings += breaches(path, source_text.read(path))
    source_text.report(findings)


if __name__ == "__main__":
    main()
