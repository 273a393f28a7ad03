"""An HTTPS server of its own for end-to-end tests: MTA-STS policies by host name, and a place for TLS reports.

    with WebSite(authority.issue("mta-sts.a.test", "reports.a.test"), {"mta-sts.a.test": "version: STSv1..."}) as web:
        web.port, web.fetched (host names), web.posted (path, headers, body)

`clock_ahead`: seconds by which its Date is wrong.
"""
import http.server
import ssl
import threading
import time


class WebSite:
    def __init__(self, pair, policies, address="127.0.0.1", clock_ahead=0):
        self.policies = dict(policies)
        self.fetched, self.posted = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def date_time_string(self, timestamp=None):
                return super().date_time_string((timestamp or time.time()) + clock_ahead)

            def reply(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                host = self.headers["Host"]
                outer.fetched.append(host)
                policy = outer.policies.get(host)
                if policy is None or self.path != "/.well-known/mta-sts.txt":
                    return self.reply(404)
                self.reply(200, policy.encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posted.append((self.path, dict(self.headers), body))
                self.reply(201)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def finish_request(self, request, client_address):
                # The handshake belongs to the connection's thread: one that hangs must not stop the others.
                super().finish_request(outer.context.wrap_socket(request, server_side=True), client_address)

            def handle_error(self, *_):
                pass  # a client that does not like our certificate

        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.certificate, pair.key)
        self.server = Server((address, 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
