#!/usr/bin/env bash
# The peers of the benchmarks: Postfix and Dovecot from Debian with their shipped durability, as instances of their own
# below a directory, on high loopback ports: SMTP 2525, IMAP 1143, IMAPS 1993, POP3 1110, POP3S 1995.
# 1000 users u0000@bench.test ... u0999@bench.test, password bench-pw.
#   peers.sh install | start DIRECTORY | stop DIRECTORY          needs root (Postfix does)
set -euo pipefail

write_dovecot() {
  local dir=$1 uid gid
  uid=$(id -u vmail) gid=$(id -g vmail)
  for i in $(seq 0 999); do printf 'u%04d@bench.test:{PLAIN}bench-pw::::::\n' "$i"; done >"$dir/users"
  cat >"$dir/dovecot.conf" <<EOF
base_dir = $dir/run
log_path = $dir/dovecot.log
info_log_path = /dev/null
protocols = imap pop3 lmtp
listen = 127.0.0.1
disable_plaintext_auth = no
ssl = yes
ssl_cert = <$dir/certificate.pem
ssl_key = <$dir/key.pem
mail_location = mdbox:~/mdbox
mail_uid = $uid
mail_gid = $gid
first_valid_uid = 1
mail_home = $dir/mail/%n
mail_max_userip_connections = 100000
default_process_limit = 6000
default_client_limit = 18000
passdb {
  driver = passwd-file
  args = username_format=%u $dir/users
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$dir/mail/%n
}
service imap-login {
  process_min_avail = 4
  process_limit = 6000
  inet_listener imap {
    port = 1143
  }
  inet_listener imaps {
    port = 1993
  }
}
service pop3-login {
  process_min_avail = 4
  process_limit = 6000
  inet_listener pop3 {
    port = 1110
  }
  inet_listener pop3s {
    port = 1995
  }
}
service imap {
  process_limit = 6000
}
service pop3 {
  process_limit = 6000
}
service lmtp {
  process_min_avail = 2
  unix_listener $dir/queue/private/dovecot-lmtp {
    user = postfix
    group = postfix
    mode = 0600
  }
}
namespace inbox {
  inbox = yes
  separator = /
}
EOF
}

write_postfix() {
  local dir=$1
  cat >"$dir/postfix/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/postfix-data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost.bench.test
mydestination =
mynetworks = 127.0.0.0/8
maillog_file = $dir/postfix.log
maillog_file_prefixes = $dir
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = bench.test
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:unix:private/dovecot-lmtp
default_transport = error:local only
message_size_limit = 52428800
mailbox_size_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
disable_dns_lookups = yes
EOF
  cp /usr/share/postfix/master.cf.dist "$dir/postfix/master.cf"
  sed -i -E -e 's/^smtp +inet .*smtpd/127.0.0.1:2525 inet n - n - - smtpd/' \
    -e 's/^([a-z#][^ ]* +(inet|unix|fifo) +[-yn] +[-yn] +)(y|-)( )/\1n\4/' "$dir/postfix/master.cf"
  grep -q '^postlog' "$dir/postfix/master.cf" || echo 'postlog unix-dgram n - n - 1 postlogd' >>"$dir/postfix/master.cf"
  chown root "$dir/postfix" "$dir/queue"
  chown postfix "$dir/postfix-data" "$dir/queue/private"
  chmod 700 "$dir/queue/private"
  touch "$dir/postfix/dynamicmaps.cf"
}

case ${1:-} in
install)
  # Packages must not start daemons of their own here.
  policy=/usr/sbin/policy-rc.d
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy; }
  echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postfix dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd openssl
  ;;
start)
  dir=$2
  mkdir -p "$dir"/{run,mail,postfix,queue/private,postfix-data}
  id vmail >/dev/null 2>&1 || useradd -r -d "$dir/mail" -s /usr/sbin/nologin vmail
  chown vmail: "$dir/mail"
  chmod 755 "$dir"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/key.pem" -out "$dir/certificate.pem" -days 365 -subj /CN=localhost 2>/dev/null
  write_dovecot "$dir"
  write_postfix "$dir"
  # Above 128 watches per uid Dovecot would fall back to polling.
  sysctl -qw fs.inotify.max_user_instances=65536 || true
  ulimit -n "$(ulimit -Hn)"
  postfix -c "$dir/postfix" check >"$dir/start.log" 2>&1 </dev/null || true
  postfix -c "$dir/postfix" start >>"$dir/start.log" 2>&1 </dev/null
  dovecot -c "$dir/dovecot.conf" >>"$dir/start.log" 2>&1 </dev/null
  ;;
stop)
  dir=$2
  doveadm -c "$dir/dovecot.conf" stop >/dev/null 2>&1 </dev/null || true
  postfix -c "$dir/postfix" stop >/dev/null 2>&1 </dev/null || true
  ;;
*)
  echo "usage: peers.sh install | start DIRECTORY | stop DIRECTORY" >&2
  exit 2
  ;;
esac
