#!/usr/bin/env bash
# Debian's haproxy, nginx and caddy as peers of the tests. Installed they would run as services of this machine, so they are only unpacked.
#   tests/support/proxies.sh DIRECTORY    unpacks them into DIRECTORY unless they are there
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=$(mkdir -p "$1" && cd "$1" && pwd)
for program in sbin/haproxy sbin/nginx lib/nginx/modules/ngx_stream_module.so bin/caddy; do
  [ -e "$directory/usr/$program" ] || missing=1
done
if [ -n "${missing:-}" ]; then
  . "$here/packages.sh"
  install_packages liblua5.3-0 libopentracing-c-wrapper0 libpcre2-8-0 >&2
  cd "$directory"
  apt-get -qq download haproxy nginx libnginx-mod-stream caddy >&2
  for package in haproxy_*.deb nginx_*.deb libnginx-mod-stream_*.deb caddy_*.deb; do dpkg -x "$package" .; done
fi
echo "$directory"
