"""Behind real proxies: haproxy in front of mail (PROXY protocol, versions 1 and 2), nginx and haproxy in front of HTTP.

The proxies connect from 127.0.0.9, which the server is told; clients come from addresses of their own, 127.0.0.21 and on. They are
unpacked by tests/support/proxies.sh, so nothing runs as a service of this machine."""
import contextlib
import http.client
import json
import os
import smtplib
import socket
import subprocess

import mail
from authority import Authority
from outgoing_scene import PASSWORD, Site, wait_for
from posthus_server import PosthusServer, free_ports

HERE, PROXY, CLIENT, OTHER = "127.0.0.2", "127.0.0.9", "127.0.0.21", "127.0.0.22"
TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "proxies")
HAPROXY_MAIL = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen smtp
  bind 127.0.0.1:{smtp}
  server here {here}:{to[smtp]} send-proxy-v2 source {proxy} check inter 200ms
listen submissions
  bind 127.0.0.1:{submissions}
  server here {here}:{to[submissions]} send-proxy source {proxy}
listen imaps
  bind 127.0.0.1:{imaps}
  server here {here}:{to[imaps]} send-proxy-v2 proxy-v2-options ssl,cert-cn,crc32c,unique-id source {proxy}
"""
HAPROXY_HTTP = """
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen web
  bind 127.0.0.1:{https} ssl crt {pem}
  http-request del-header Forwarded
  http-request set-header Forwarded "for=%[src];proto=https;host=\\"%[req.hdr(host)]\\""
  server here 127.0.0.1:{to} source {proxy}
"""
NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{https} ssl;
    ssl_certificate {pair.certificate};
    ssl_certificate_key {pair.key};
    location / {{
      proxy_pass http://127.0.0.1:{to};
      proxy_bind {proxy};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
    }}
  }}
}}
"""


def prepare():
    """Fetches what the tests run against; see run.py."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "proxies.sh")
    subprocess.run([script, TOOLS], stdout=subprocess.DEVNULL, timeout=600, check=True)


def tool(name):
    prepare()
    return os.path.join(TOOLS, "usr", "sbin", name)


@contextlib.contextmanager
def running(command, port):
    """A proxy in the foreground, once it listens on `port`."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def listens():
        assert process.poll() is None, process.stderr.read().decode()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
        return False

    try:
        wait_for(listens, command[0])
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def haproxy(scene, text, port):
    path = os.path.join(scene.directory, "haproxy.cfg")
    with open(path, "w") as f:
        f.write(text)
    return running([tool("haproxy"), "-db", "-f", path], port)


def site_behind(scene, **environment):
    return Site(scene.server.binary, HERE, "here.test", environment={
        "POSTHUS_PROXY_ADDRESSES": PROXY, "POSTHUS_PROXY_HTTP_ADDRESSES": PROXY, **environment})


def test_mail_through_haproxy(scene):
    smtp, submissions, imaps = free_ports(3)
    with site_behind(scene) as site:
        text = HAPROXY_MAIL.format(smtp=smtp, submissions=submissions, imaps=imaps, here=HERE, to=site.server.ports, proxy=PROXY)
        with haproxy(scene, text, smtp):
            marker = mail.unique()
            with smtplib.SMTP("127.0.0.1", smtp, "client.test", source_address=(CLIENT, 0), timeout=20) as client:
                client.starttls(context=PosthusServer.tls())
                client.sendmail("ben@elsewhere.test", [site.user], mail.message(marker, to=site.user))
            received = site.wait_for_mail(marker).get_all("Received")[0]
            assert "[%s]" % CLIENT in received and PROXY not in received, received
            with smtplib.SMTP_SSL("127.0.0.1", submissions, "client.test", source_address=(OTHER, 0), timeout=20,
                                  context=PosthusServer.tls()) as client:
                client.login(site.user, PASSWORD)
                marker = mail.unique()
                client.sendmail(site.user, [site.user], mail.message(marker, sender=site.user, to=site.user))
            site.wait_for_mail(marker)
            with socket.create_connection(("127.0.0.1", imaps), source_address=(CLIENT, 0), timeout=20) as raw:
                stream = PosthusServer.tls().wrap_socket(raw).makefile("rwb")
                assert stream.readline().startswith(b"* OK"), "no greeting"
                stream.write(b"1 LOGIN %s wrong\r\n" % site.user.encode())
                stream.flush()
                assert b"1 NO" in stream.readline()
        log = site.server.log()
        assert "login.accepted" in log and "address=" + OTHER in log, log[-3000:]
        assert any("login.rejected" in line and "address=" + CLIENT in line for line in log.splitlines()), log[-3000:]
        assert "net.proxy_header_refused" not in log, log[-3000:]


def test_only_named_proxies_may_introduce_a_client(scene):
    with site_behind(scene) as site:
        port = site.server.ports["smtp"]
        header = b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 25\r\n"
        with socket.create_connection((HERE, port), source_address=(CLIENT, 0), timeout=20) as stranger:
            lines = stranger.makefile("rwb")
            assert lines.readline().startswith(b"220 ")
            lines.write(header)
            lines.flush()
            assert lines.readline().startswith(b"5"), "a stranger's header is no command"
        for begin in (b"EHLO proxy.test\r\n", b"PROXY TCP4 203.0.113.9 x 1 2\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"):
            with socket.create_connection((HERE, port), source_address=(PROXY, 0), timeout=20) as proxy:
                proxy.sendall(begin)
                with contextlib.suppress(ConnectionResetError):
                    assert proxy.recv(100) == b"", begin
        assert site.server.log().count("net.proxy_header_refused") == 3, site.server.log()[-2000:]
        with socket.create_connection((HERE, port), source_address=(PROXY, 0), timeout=20) as proxy:
            proxy.sendall(header)
            assert proxy.makefile("rb").readline().startswith(b"220 ")


def sign_in(site, port, tls, fields):
    """The answer to a sign-in, and its fields, through a proxy that listens with TLS."""
    raw = socket.create_connection(("127.0.0.1", port), source_address=(CLIENT, 0), timeout=20)
    client = http.client.HTTPConnection("mx.here.test", port)
    client.sock = tls.wrap_socket(raw)
    client.request("POST", "/api/v1/session", json.dumps({"login": site.user, "password": PASSWORD}),
                   {"Content-Type": "application/json", "X-Posthus-Panel": "1", **fields})
    answer = client.getresponse()
    status, cookie, body = answer.status, answer.getheader("Set-Cookie"), json.loads(answer.read())
    client.close()
    return status, cookie, body


def test_the_panel_behind_nginx(scene):
    (secure,) = free_ports(1)
    with Authority() as authority, site_behind(scene) as site:
        path = os.path.join(scene.directory, "nginx.conf")
        with open(path, "w") as f:
            f.write(NGINX.format(directory=scene.directory, https=secure, pair=authority.issue("mx.here.test"),
                                 to=site.server.ports["http"], proxy=PROXY))
        with running([tool("nginx"), "-e", scene.directory + "/nginx.log", "-c", path, "-p", scene.directory], secure):
            forged = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "http", "Forwarded": "for=198.51.100.8"}
            for fields in ({}, forged):
                status, cookie, body = sign_in(site, secure, PosthusServer.tls(), fields)
                assert status == 201 and cookie.startswith("__Host-posthus="), (status, body)
                assert body["session"]["remote_address"] == CLIENT, body


def test_the_panel_behind_haproxy(scene):
    (secure,) = free_ports(1)
    with Authority() as authority, site_behind(scene, POSTHUS_PROXY_HTTP_FIELDS="forwarded") as site:
        pair, pem = authority.issue("mx.here.test"), os.path.join(scene.directory, "both.pem")
        with open(pem, "w") as f:
            for name in (pair.certificate, pair.key):
                with open(name) as part:
                    f.write(part.read())
        text = HAPROXY_HTTP.format(https=secure, pem=pem, to=site.server.ports["http"], proxy=PROXY)
        with haproxy(scene, text, secure):
            status, cookie, body = sign_in(site, secure, PosthusServer.tls(), {"X-Forwarded-For": "198.51.100.7"})
            assert status == 201 and cookie.startswith("__Host-posthus="), (status, body)
            assert body["session"]["remote_address"] == CLIENT, body
