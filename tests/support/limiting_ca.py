"""A CA that knows everybody and gives nothing: each order is one too many (RFC 8555 §6.6, rateLimited). Signatures are not looked at.

    with LimitingCa(authority.issue("ca.test"), retry_after=7200) as ca:
        ca.directory, ca.orders (how many were asked for)
"""
import http.server
import json
import ssl
import threading


class LimitingCa:
    def __init__(self, pair, retry_after, name="ca.test", address="127.0.0.1"):
        self.orders = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self, status, body=None, **fields):
                text = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                kind = "application/problem+json" if status >= 400 else "application/json"
                for field, value in {"Content-Type": kind, "Content-Length": len(text), "Replay-Nonce": "bm9uY2U", **fields}.items():
                    self.send_header(field.replace("_", "-"), str(value))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            def do_GET(self):
                self.reply(200, {one: outer.at(one) for one in ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")})

            def do_HEAD(self):
                self.reply(200)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/newAccount":
                    return self.reply(201, {"status": "valid"}, Location=outer.at("account"))
                outer.orders += 1
                self.reply(429, {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates already issued"}, Retry_After=retry_after)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.name, self.port = name, self.server.server_address[1]
        self.directory = self.at("dir")

    def at(self, path):
        return "https://%s:%d/%s" % (self.name, self.port, path)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
