"""Behind real proxies: haproxy and nginx in front of mail (PROXY protocol, versions 1 and 2), nginx, haproxy and Caddy in front of HTTP.

Their configuration is that of docker/README.md or stands here. They connect from 127.0.0.9 (Caddy, which cannot choose, from 127.0.0.1),
which the server is told. Clients come from addresses of their own, 127.0.0.21 and on. The proxies are unpacked by tests/support/proxies.sh: nothing runs as a service of this
machine. Loopback is nobody's proof of anything here, as in the image, so who signs in does it by what the proxy says."""
import contextlib
import http.client
import json
import os
import re
import smtplib
import socket
import subprocess
import tempfile

import mail
from authority import Authority
from outgoing_scene import PASSWORD, Site, wait_for
from ports import free_ports
from posthus_server import PosthusServer

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
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docker", "README.md")
# What a package sets up around the configuration of the README.
NGINX_AROUND = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
load_module {module};
events {{ worker_connections 64; }}
"""
NGINX_HTTP = """http {{
  proxy_bind {proxy};
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
"""
CADDY_AROUND = """{{
	admin off
	auto_https off
	storage file_system {directory}/caddy
}}
"""
FORGED = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.test", "Forwarded": "for=198.51.100.8;proto=http"}


def prepare():
    """Fetches what the tests run against; see run.py."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "proxies.sh")
    subprocess.run([script, TOOLS], stdout=subprocess.DEVNULL, timeout=600, check=True)


def tool(name):
    prepare()
    return os.path.join(TOOLS, "usr", "bin" if name == "caddy" else "sbin", name)


def example(language, number=0):
    """A configuration as the README has it."""
    with open(README) as f:
        return re.findall("```%s\\n(.*?)```" % language, f.read(), re.DOTALL)[number]


def put_into(text, server, ports, pair):
    """The README's example with our own addresses, ports, names and files; `ports`: of the proxy, by those of the README."""
    for name, port in server.ports.items():
        inside = {"smtp": 2025, "submissions": 2465, "imaps": 2993, "http": 2080}.get(name)
        text = text.replace("mail:%s" % inside, "%s:%d" % ("127.0.0.1" if name == "http" else HERE, port))
    for standard, port in ports.items():
        text = re.sub(r"(listen |bind )(:?)%d\b" % standard, r"\g<1>127.0.0.1:%d" % port, text)
    assert not re.search(r":\d{2,4}\b", text) and "mail:" not in text, text  # our own ports have five digits
    return text.replace("/etc/ssl/mail.pem", pair.certificate).replace("/etc/ssl/mail.key", pair.key).replace("mail.example.org", "mx.here.test")


@contextlib.contextmanager
def running(command, port, environment=None):
    """A proxy in the foreground, once it listens on `port`."""
    errors = tempfile.TemporaryFile()  # not a pipe, which would fill
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment)

    def said():
        errors.seek(0)
        return errors.read().decode()

    def listens():
        assert process.poll() is None, said()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
        return False

    try:
        wait_for(listens, command[0])
        yield process
    finally:
        process.kill()
        process.wait()
        errors.close()


def written(scene, name, text):
    path = os.path.join(scene.directory, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def haproxy(scene, text, port):
    return running([tool("haproxy"), "-db", "-f", written(scene, "haproxy.cfg", text)], port)


def nginx(scene, text, port):
    around = NGINX_AROUND.format(directory=scene.directory, module=os.path.join(TOOLS, "usr", "lib", "nginx", "modules", "ngx_stream_module.so"))
    program = tool("nginx")  # first: the module comes with it
    text = text.replace("http {\n", NGINX_HTTP.format(directory=scene.directory, proxy=PROXY), 1)
    text = text.replace("stream {", "stream { proxy_bind %s;" % PROXY, 1)
    path = written(scene, "nginx.conf", around + text)
    return running([program, "-e", scene.directory + "/nginx.log", "-c", path, "-p", scene.directory], port)


def caddy(scene, text, port):
    path = written(scene, "Caddyfile", CADDY_AROUND.format(directory=scene.directory) + text)
    environment = {**os.environ, "HOME": scene.directory, "XDG_CONFIG_HOME": scene.directory, "XDG_DATA_HOME": scene.directory}
    return running([tool("caddy"), "run", "--adapter", "caddyfile", "--config", path], port, environment)


def site_behind(scene, proxy=PROXY, **environment):
    return Site(scene.server.binary, HERE, "here.test", environment={
        "POSTHUS_PROXY_ADDRESSES": proxy, "POSTHUS_PROXY_HTTP_ADDRESSES": proxy, "POSTHUS_HTTP_LOOPBACK_IS_CONFIDENTIAL": "false", **environment})


def key_and_chain(scene, pair):
    """In one file, as haproxy wants them."""
    texts = []
    for name in (pair.certificate, pair.key):
        with open(name) as part:
            texts.append(part.read())
    return written(scene, "both.pem", "".join(texts))


def try_mail(site, smtp, submissions, imaps):
    """Mail in, a submission and a refused sign-in through a proxy's ports: each with the client's own address."""
    marker = mail.unique()
    with smtplib.SMTP("127.0.0.1", smtp, "client.test", source_address=(CLIENT, 0), timeout=20) as client:
        client.starttls(context=PosthusServer.tls())
        client.sendmail("ben@elsewhere.test", [site.user], mail.message(marker, to=site.user))
    received = site.wait_for_mail(marker).get_all("Received")[0]
    assert "[%s]" % CLIENT in received and PROXY not in received, received
    with smtplib.SMTP_SSL("127.0.0.1", submissions, "client.test", source_address=(OTHER, 0), timeout=20, context=PosthusServer.tls()) as client:
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
    assert any("login.accepted" in line and "address=" + OTHER in line for line in log.splitlines()), log[-3000:]
    assert any("login.rejected" in line and "address=" + CLIENT in line for line in log.splitlines()), log[-3000:]


def test_mail_through_haproxy(scene):
    smtp, submissions, imaps = free_ports(3)
    with site_behind(scene) as site:
        text = HAPROXY_MAIL.format(smtp=smtp, submissions=submissions, imaps=imaps, here=HERE, to=site.server.ports, proxy=PROXY)
        with haproxy(scene, text, smtp):
            try_mail(site, smtp, submissions, imaps)
        assert "net.proxy_header_refused" not in site.server.log(), site.server.log()[-3000:]


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
    """The answer to a sign-in, and its fields, through a proxy that listens with TLS (`tls`: a context) or without."""
    raw = socket.create_connection(("127.0.0.1", port), source_address=(CLIENT, 0), timeout=20)
    client = http.client.HTTPConnection("mx.here.test", port)
    client.sock = tls.wrap_socket(raw, server_hostname="mx.here.test") if tls else raw
    client.request("POST", "/api/v1/session", json.dumps({"login": site.user, "password": PASSWORD}),
                   {"Content-Type": "application/json", "X-Posthus-Panel": "1", **fields})
    answer = client.getresponse()
    status, cookie, body = answer.status, answer.getheader("Set-Cookie"), json.loads(answer.read())
    client.close()
    return status, cookie, body


def try_signing_in(site, port):
    """Through a proxy with TLS, honest and with forged fields: the client's own address, and a cookie."""
    for fields in ({}, FORGED, {"Connection": "X-Forwarded-For, X-Forwarded-Host"}):
        status, cookie, body = sign_in(site, port, PosthusServer.tls(), fields)
        assert status == 201 and cookie.startswith("__Host-posthus="), (fields, status, body)
        assert body["session"]["remote_address"] == CLIENT, (fields, body)


def location_of(port, path):
    """Of what a proxy answers without TLS: status, Location, body."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", path, headers={"Host": "mx.here.test"})
    answer = client.getresponse()
    found = answer.status, answer.getheader("Location"), answer.read()
    client.close()
    return found


def try_port_80(port):
    """Proofs for a CA reach the server; people are led to TLS."""
    status, _, body = location_of(port, "/.well-known/acme-challenge/none")
    assert status == 404 and b"detail" in body, (status, body)
    status, location, _ = location_of(port, "/queue?x=1")
    assert status == 308 and location == "https://mx.here.test/queue?x=1", (status, location)


def test_nginx_as_in_the_readme(scene):
    smtp, submissions, imaps, plain, secure = free_ports(5)
    ports = {25: smtp, 465: submissions, 993: imaps, 80: plain, 443: secure}
    with Authority() as authority, site_behind(scene) as site:
        text = put_into(example("nginx"), site.server, ports, authority.issue("mx.here.test"))
        with nginx(scene, text, secure):
            try_mail(site, smtp, submissions, imaps)
            try_signing_in(site, secure)
            try_port_80(plain)
        assert "net.proxy_header_refused" not in site.server.log(), site.server.log()[-3000:]


def test_nginx_with_forwarded_as_in_the_readme(scene):
    smtp, submissions, imaps, plain, secure = free_ports(5)
    ports = {25: smtp, 465: submissions, 993: imaps, 80: plain, 443: secure}
    with Authority() as authority, site_behind(scene, POSTHUS_PROXY_HTTP_FIELDS="forwarded") as site:
        text = example("nginx").replace("http {\n", "http {\n" + example("nginx", 1), 1)
        text = re.sub(r"( *proxy_set_header X-Forwarded-\S+ \S+;\n)+", lambda _: example("nginx", 2), text)
        with nginx(scene, put_into(text, site.server, ports, authority.issue("mx.here.test")), secure):
            try_signing_in(site, secure)


def test_haproxy_as_in_the_readme(scene):
    smtp, submissions, imaps, secure = free_ports(4)
    ports = {25: smtp, 465: submissions, 993: imaps, 443: secure}
    with Authority() as authority, site_behind(scene) as site:
        pair = authority.issue("mx.here.test")
        text = example("haproxy").replace("/etc/ssl/mail.pem", key_and_chain(scene, pair))
        text = put_into(text, site.server, ports, pair).replace("defaults\n", "defaults\n  source %s\n" % PROXY)
        with haproxy(scene, text, smtp):
            try_mail(site, smtp, submissions, imaps)
            try_signing_in(site, secure)
        assert "net.proxy_header_refused" not in site.server.log(), site.server.log()[-3000:]


def test_caddy_as_in_the_readme(scene):
    plain, secure = free_ports(2)
    with Authority() as authority, site_behind(scene, "127.0.0.1") as site:
        pair = authority.issue("mx.here.test")
        here = "https://mx.here.test:%d {\n\tbind 127.0.0.1\n\ttls %s %s\n" % (secure, pair.certificate, pair.key)
        text = re.sub(r"^mail\.example\.org, .* \{\n", here, example("caddy"))
        text = text.replace("http://mail.example.org {\n", "http://mx.here.test:%d {\n\tbind 127.0.0.1\n" % plain)
        with caddy(scene, put_into(text, site.server, {}, pair), secure):
            try_signing_in(site, secure)
            try_port_80(plain)


def test_the_panel_behind_haproxy_with_forwarded(scene):
    (secure,) = free_ports(1)
    with Authority() as authority, site_behind(scene, POSTHUS_PROXY_HTTP_FIELDS="forwarded") as site:
        text = HAPROXY_HTTP.format(https=secure, pem=key_and_chain(scene, authority.issue("mx.here.test")), to=site.server.ports["http"], proxy=PROXY)
        with haproxy(scene, text, secure):
            try_signing_in(site, secure)


def test_tls_that_a_proxy_passes_through_ends_at_the_server(scene):
    (secure,) = free_ports(1)
    with site_behind(scene, POSTHUS_PROXY_LISTENERS="smtp,https") as site:
        text = "stream { server { listen 127.0.0.1:%d; proxy_protocol on; proxy_pass %s:%d; } }\n" % (secure, HERE, site.server.ports["https"])
        with nginx(scene, text, secure):
            try_signing_in(site, secure)


def test_a_forwarder_that_names_nobody_is_not_this_machine(scene):
    """Like docker-proxy, slirp4netns, or nginx that was told nothing: everybody comes from 127.0.0.1, whatever way he has come."""
    (plain,) = free_ports(1)
    with Site(scene.server.binary, HERE, "here.test", environment={"POSTHUS_HTTP_LOOPBACK_IS_CONFIDENTIAL": "false"}) as site:
        site.server.add_user("ben@here.test", PASSWORD)
        text = "stream { server { listen 127.0.0.1:%d; proxy_bind 127.0.0.1; proxy_pass 127.0.0.1:%d; } }\n" % (plain, site.server.ports["http"])
        with nginx(scene, text, plain):
            status, cookie, body = sign_in(site, plain, None, {})
            assert status == 403 and cookie is None and "TLS" in body["detail"], (status, body)
            status, location, _ = location_of(plain, "/")
            assert status == 308 and location == "https://mx.here.test/", (status, location)
        assert site.call("GET", "/api/v1/status")["warnings"] == []
        for user in (site.user, "ben@here.test"):  # two who have nothing to do with each other
            site.inbox(user)
        told = site.call("GET", "/api/v1/status")["warnings"]
        assert [(one["kind"], one["address"]) for one in told] == [("gateway_hides_clients", "127.0.0.1")], told
        assert "proxy.addresses" in told[0]["detail"], told
