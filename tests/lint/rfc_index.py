#!/usr/bin/env python3
"""Citations have one spelling, "RFC 5321 §4.5.2", in comments of .h and .cc files; --index lists section -> files.
Exceptions: exceptions.txt, law "rfc"."""
import collections
import re
import sys

import source_text

CITED = re.compile(r"\bRFC (\d{3,5})((?:,? (?:and |or |to )?§[0-9A-Z][0-9A-Za-z.]*(?:-§?[0-9.]+)?)*)")
SECTION = re.compile(r"§([0-9A-Z][0-9A-Za-z]*(?:\.[0-9A-Za-z]+)*)")
# "rfc822" within a media type, an identifier or a file name is not a citation, nor is IMAP's RFC822.SIZE.
MISSPELT = [
    re.compile(r"(?<![\w/.\"-])(RFC(?!822\b)\d+|rfc ?\d+|Rfc ?\d+|RFC-\d+|RFC  +\d+|RFC#\d+)(?![\w/]*\.txt)\b"),
    re.compile(r"\bRFC \d+(?:,|:|;)? *\(?(?:[Ss]ection|[Ss]ec\.?|[Ss]ect\.?|[Pp]ara\w*|ch(?:apter|\.))\s*\d[\d.]*"),
    re.compile(r"\bRFC \d+ ?\(§|\bRFC \d+§|\bRFC \d+ § ?\d*(?<=§ )|\bRFC \d+  +§|\bRFC \d+, §"),
]


def scan(path, index, findings):
    for line, comment in source_text.comments(source_text.read(path)):
        for pattern in MISSPELT:
            for match in pattern.finditer(comment):
                findings.append(f"{path}:{line}: \"{match.group(0).strip()}\", write \"RFC nnnn §x.y\"")
        for match in CITED.finditer(comment):
            sections = SECTION.findall(match.group(2)) or [""]
            for section in sections:
                index[(int(match.group(1)), section.rstrip("."))].add(path)


def section_key(entry):
    number, section = entry
    return number, [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in section.split(".")]


def main():
    allowed = source_text.exceptions("rfc")
    index, findings = collections.defaultdict(set), []
    for path in source_text.files(".h", ".cc"):
        if path not in allowed:
            scan(path, index, findings)
    if "--index" in sys.argv:
        for entry in sorted(index, key=section_key):
            print(f"RFC {entry[0]}{' §' + entry[1] if entry[1] else ''}: {' '.join(sorted(index[entry]))}")
    print(f"{len(index)} sections of {len({number for number, _ in index})} RFCs cited")
    source_text.report(findings)


if __name__ == "__main__":
    main()
