#!/usr/bin/env python3
"""Is every C++ file as .clang-format wants it? Tables that are easier to read aligned stand between clang-format off and on."""
import os
import shutil
import subprocess
import sys

import source_text

FORMATTER = "clang-format-19"  # others put some lines otherwise


def main():
    if not shutil.which(FORMATTER):
        print("%s is missing" % FORMATTER)
        sys.exit(1)
    wrong = []
    for path in source_text.files(".cc", ".h"):
        done = subprocess.run([FORMATTER, "--output-replacements-xml", os.path.join(source_text.ROOT, path)], capture_output=True, text=True, check=True)
        if "<replacement " in done.stdout:
            wrong.append(path)
    for path in wrong:
        print("%s: run %s -i %s" % (path, FORMATTER, path))
    print("format_law.py: %d findings" % len(wrong))
    sys.exit(1 if wrong else 0)


main()
