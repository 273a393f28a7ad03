#!/usr/bin/env bash
# Debian's Exim beside Postfix. As packages they exclude each other, so Exim is only unpacked, never installed.
#   tests/support/exim.sh DIRECTORY    unpacks it into DIRECTORY unless it is there, prints the path of the program
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=$(mkdir -p "$1" && cd "$1" && pwd)
program=$directory/usr/sbin/exim4
if [ ! -x "$program" ]; then
  . "$here/packages.sh"
  install_packages libdb5.3 libgnutls-dane0 libidn12 libnsl2 libpcre2-8-0 >&2
  cd "$directory"
  apt-get -qq download exim4-daemon-light >&2
  for package in exim4-daemon-light_*.deb; do dpkg -x "$package" .; done
fi
echo "$program"
