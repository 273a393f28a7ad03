#!/usr/bin/env bash
# Builds Posthus and runs it with its data in ./data: a server to try, from a clone to a mailbox in one command.
#   ./run.sh               builds, starts in the background, makes an admin and two users at the first start
#   ./run.sh --foreground  the same, but the server stays in this terminal
#   ./run.sh --stop        stops it        ./run.sh --status   says whether it runs, and where
# Settings: data/posthus.toml or POSTHUS_* (core/main/README.md), e.g. POSTHUS_PORTS_SMTP=25 ./run.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. tests/support/packages.sh

binary=build/release/posthus
export POSTHUS_DATA=${POSTHUS_DATA:-$PWD/data}
data=$POSTHUS_DATA

usage() { sed -n '2,6s/^# \{0,1\}//p' run.sh; exit 2; }
mode=start
case ${1:-} in
  "") ;;
  --foreground | --stop | --status) mode=${1#--} ;;
  *) usage ;;
esac
[ $# -le 1 ] || usage

say() { printf '%s\n' "$@"; }
is_running() { [ -x "$binary" ] && "$binary" health >/dev/null 2>&1; }
server_pid() { cat "$data/posthus.pid" 2>/dev/null || true; }

# setting NAME: its effective value.
setting() { "$binary" config show | awk -v name="$1" '$1 == name { print $2 }'; }

# The host name goes into a file of its own making only when nothing else sets it.
prepare_data() {
  mkdir -p "$data"
  chmod 700 "$data"
  [ -e "$data/posthus.toml" ] || [ -n "${POSTHUS_HOSTNAME:-}" ] || printf 'hostname = "localhost"\n' >"$data/posthus.toml"
}

build() {
  local cores
  cores=$(nproc)
  # shellcheck disable=SC2086
  install_packages $build_packages $try_packages $(panel_packages)
  say "Building (the first time takes some minutes) ..."
  if cmake --preset release >build-release.log 2>&1 &&
    cmake --build build/release -j "$cores" --target posthus >>build-release.log 2>&1; then
    rm -f build-release.log
    return 0
  fi
  tail -n 40 build-release.log
  say "The build failed; build-release.log has all of it."
  exit 1
}

listeners="smtp submission submissions pop3 pop3s imap imaps http https"

# Says which ports are taken by somebody else, before the server finds the first of them.
check_ports() {
  local name port taken=0
  for name in $listeners; do
    port=$(setting "ports.$name")
    [ "$port" != 0 ] || continue
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      say "Port $port ($name) is taken. Choose another: POSTHUS_PORTS_${name^^}=... ./run.sh"
      taken=1
    fi
  done
  [ $taken -eq 0 ] || exit 1
}

# Fills a new store. Without a server the commands open the store themselves.
first_start() {
  [ ! -d "$data/segments" ] || [ -z "$("$binary" domain list | tail -n +2)" ] || return 0
  "$binary" domain add example.test >/dev/null
  say "" "These passwords are shown only now:"
  local address options password
  for address in admin@example.test anna@example.test ben@example.test; do
    options=(--generate)
    [ "$address" != admin@example.test ] || options+=(--admin)
    password=$("$binary" user add "$address" "${options[@]}" | sed -n 's/^Password: //p')
    printf '  %-20s %s\n' "$address" "$password"
  done
}

show_listeners() {
  say "" "Listening (host name $(setting hostname), data in $data):"
  printf '  %-12s %-6s %s\n' \
    smtp "$(setting ports.smtp)" "mail from other servers, STARTTLS" \
    submission "$(setting ports.submission)" "mail from users, STARTTLS" \
    submissions "$(setting ports.submissions)" "mail from users, TLS" \
    pop3 "$(setting ports.pop3)" "STLS" \
    pop3s "$(setting ports.pop3s)" "TLS" \
    imap "$(setting ports.imap)" "STARTTLS" \
    imaps "$(setting ports.imaps)" "TLS" \
    http "$(setting ports.http)" "health, this machine only" \
    https "$(setting ports.https)" "panel and admin API"
}

show_lines_to_try() {
  say "" "To try (the certificate is self-signed; curl asks for the password):" \
    "  swaks --server localhost:$(setting ports.smtp) --from me@elsewhere.test --to anna@example.test" \
    "  curl -k --user anna@example.test 'imaps://localhost:$(setting ports.imaps)/INBOX;MAILINDEX=1'" \
    "  curl -k --user admin@example.test https://localhost:$(setting ports.https)/api/v1/status"
}

wait_until_ready() {
  local pid=$1 try
  for try in $(seq 300); do
    is_running && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  say "The server did not start (try $try):"
  tail -n 20 "$data/server.log"
  exit 1
}

stop() {
  local pid
  pid=$(server_pid)
  if [ -z "$pid" ] || ! is_running; then
    say "Posthus is not running."
    return 0
  fi
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  say "Posthus has stopped."
}

# A setting that is wrong by now would look like a server that does not run.
[ "$mode" = start ] || [ "$mode" = foreground ] || [ ! -x "$binary" ] || "$binary" config show >/dev/null || exit 2

case $mode in
  stop) stop; exit 0 ;;
  status)
    if is_running; then
      say "Posthus is running (process $(server_pid))."
      show_listeners
      exit 0
    fi
    say "Posthus is not running."
    exit 1
    ;;
esac

if is_running; then
  say "Posthus is running already (process $(server_pid))."
  show_listeners
  exit 0
fi
build
prepare_data
"$binary" config show >/dev/null  # wrong settings are said now
check_ports
first_start
show_listeners
show_lines_to_try
if [ "$mode" = foreground ]; then
  exec "$binary" serve
fi
nohup "$binary" serve >>"$data/server.log" 2>&1 </dev/null &
wait_until_ready $!
say "" "Posthus is ready. Its log: $data/server.log. Stop it with ./run.sh --stop"
