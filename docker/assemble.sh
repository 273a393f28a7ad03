#!/usr/bin/env bash
# Puts together what the image holds: the stripped binary, every shared library it loads, character sets for old mail, the CA roots
# and the key of the DNS root. The Dockerfile's build stage runs it; tests/container does too.
#   docker/assemble.sh BINARY DIRECTORY
set -euo pipefail
[ $# -ge 2 ] || { sed -n '4p' "$0" >&2; exit 2; }
binary=$1 root=$2

rm -rf "$root"
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/usr/lib/ssl" "$root/usr/share/dns"
install -m 0755 "$binary" "$root/usr/bin/posthus"
strip --strip-all "$root/usr/bin/posthus"

# Libraries under the names they are loaded by, in the folder the loader looks in without a cache. libqrencode and the character
# sets are loaded when they are needed first, so ldd does not name them.
folder=$(dirname "$(ldd "$binary" | awk '$1 == "libc.so.6" { print $3 }')")
libraries=/usr/lib/$(basename "$folder")
mkdir -p "$root$libraries/gconv"
copy_libraries() { ldd "$@" | awk '$2 == "=>" && $3 ~ "^/" { print $3 }' | sort -u | while read -r file; do
  install -m 0644 "$(readlink -f "$file")" "$root$libraries/$(basename "$file")"; done; }
copy_libraries "$binary"
qrencode=$folder/libqrencode.so.4
[ -e "$qrencode" ] || { echo "$qrencode is missing: install libqrencode4" >&2; exit 1; }
install -m 0644 "$(readlink -f "$qrencode")" "$root$libraries/libqrencode.so.4"
copy_libraries "$qrencode"
loader=$(ldd "$binary" | awk '$1 ~ "^/.*/ld-linux" { print $1 }')
install -D -m 0755 "$(readlink -f "$loader")" "$root$loader"

# What core/mail/encoded_word.cc converts, and nothing else of the 250.
for pattern in 'BIG5*' 'CP125?' CP932 'EUC-*' 'GB*' IBM437 IBM850 IBM852 IBM855 IBM866 IBM874 'ISO-2022-JP*' ISO-2022-KR 'ISO8859-*' \
  'KOI8-*' MACINTOSH SJIS TIS-620 UHC 'UTF-*' 'lib*'; do
  for file in "$libraries"/gconv/$pattern.so; do
    [ ! -e "$file" ] || install -m 0644 "$file" "$root$libraries/gconv/"
  done
done
cp -r "$libraries"/gconv/gconv-modules* "$root$libraries/gconv/"

install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"  # where Debian's OpenSSL looks
install -m 0644 /usr/share/dns/root.key "$root/usr/share/dns/root.key"
printf 'root:x:0:0:root:/:/none\nposthus:x:10001:10001:Posthus:/data:/none\n' >"$root/etc/passwd"
printf 'root:x:0:\nposthus:x:10001:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
