#!/usr/bin/env python3
"""Is every C++ file as .clang-format wants it? Tables that are easier to read aligned stand between clang-format off and on."""
import shutil
import subprocess
import sys

import source_text

FORMATTER = "clang-format-19"  # others put some lines otherwise


def main():
    if not shutil.which(FORMATTER):
        print("%s is missing" % FORMATTER)
        sys.exit(1)
    done = subprocess.run([FORMATTER, "--dry-run", *source_text.files(".cc", ".h")], cwd=source_text.ROOT, capture_output=True, text=True, check=True)
    wrong = sorted({line.split(":")[0] for line in done.stderr.split("\n") if "[-Wclang-format-violations]" in line})
    for path in wrong:
        print("%s: run %s -i %s" % (path, FORMATTER, path))
    print("format_law.py: %d findings" % len(wrong))
    sys.exit(1 if wrong else 0)


main()
