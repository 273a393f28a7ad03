# Debian packages by purpose, and how to install what is missing. Sourced by run.sh and test.sh; not run by itself.

build_packages="clang-19 mold ccache cmake ninja-build pkg-config libasio-dev libssl-dev liblmdb-dev nlohmann-json3-dev
  libargon2-dev libidn2-dev libunbound-dev dns-root-data libunistring-dev libqrencode-dev libzstd-dev zlib1g-dev libfmt-dev libcli11-dev libtomlplusplus-dev libcpp-httplib-dev ca-certificates"

# What run.sh's lines to try are typed with.
try_packages="curl swaks"

# GoogleTest and sanitizers for the tests of our own; the rest are the stock clients and tools of the end-to-end tests.
test_packages="libgtest-dev libclang-rt-19-dev llvm-19 clang-format-19 git python3 openssl strace knot knot-dnsutils faketime pebble
  iproute2 util-linux postfix curl swaks python3-dkim libio-socket-ssl-perl libnet-ssleay-perl libsasl2-modules msmtp mutt isync fetchmail
  chromium chromium-driver python3-selenium"

# The image is built and run by these; without them its tests are skipped. Docker is unpacked, not installed: tests/container/docker_test.py.
container_packages="buildah podman runc netavark aardvark-dns iptables docker-compose libqrencode4"

# The browser panel is built with node and npm; whoever has them from elsewhere keeps them.
panel_packages() {
  command -v node >/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
}

# install_packages NAME...: installs those that are missing, through sudo only when not root. Debian 12 names.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "These packages are missing and there is no sudo: ${missing[*]}" >&2; return 1; }
    echo "sudo is needed once, to install: ${missing[*]}" >&2
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 update -qq
  # Postfix is a peer of the tests, which give it settings: it must not become this machine's mail server.
  if [[ " ${missing[*]} " == *" postfix "* ]]; then
    "${as_root[@]}" debconf-set-selections <<<"postfix postfix/main_mailer_type select No configuration"
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}"
}

# Compiles are cached where ccache is; sloppiness lets it see through the precompiled header of core/net.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD}
export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
