"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) as a client, for every protocol. Standard library only."""
import base64
import hashlib
import hmac
import os
import socket
import ssl

from posthus_server import PosthusServer


def _hmac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def _base64(octets):
    return base64.b64encode(octets)


class Dialog:
    """One connection up to the end of its AUTH; `protocol` is the listener with implicit TLS."""

    COMMAND = {"submissions": b"AUTH %s %s\r\n", "pop3s": b"AUTH %s %s\r\n", "imaps": b"a AUTHENTICATE %s %s\r\n"}
    CHALLENGE = {"submissions": b"334 ", "pop3s": b"+ ", "imaps": b"+ "}

    def __init__(self, scene, protocol, newest_tls=ssl.TLSVersion.TLSv1_3):
        context = PosthusServer.tls()
        context.maximum_version = newest_tls
        self.protocol = protocol
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", scene.ports[protocol]), timeout=60))
        self.lines = self.socket.makefile("rb")
        self.lines.readline()
        if protocol == "submissions":
            self.socket.sendall(b"EHLO client.test\r\n")
            while self.lines.readline()[3:4] == b"-":
                pass

    def close(self):
        self.lines.close()
        self.socket.close()

    def binding(self, kind):
        """The channel binding data, worked out from this side's view of the connection."""
        if kind == "tls-unique":
            return self.socket.get_channel_binding("tls-unique")
        assert kind == "tls-server-end-point"  # RFC 5929 §4.1; the certificate's signature is by SHA-256
        return hashlib.sha256(self.socket.getpeercert(binary_form=True)).digest()

    def _challenge(self, line):
        start = self.CHALLENGE[self.protocol]
        return base64.b64decode(line[len(start):]) if line.startswith(start) else None

    def log_in(self, user, password, binding_name=None, binding_data=b""):
        """The server's last line. An assertion when the server does not prove that it knows the password."""
        mechanism = b"SCRAM-SHA-256-PLUS" if binding_name else b"SCRAM-SHA-256"
        header = b"p=" + binding_name.encode() + b",," if binding_name else b"n,,"
        bare = b"n=" + user.encode() + b",r=" + _base64(os.urandom(18))
        self.socket.sendall(self.COMMAND[self.protocol] % (mechanism, _base64(header + bare)))
        server_first = self._challenge(self.lines.readline())
        assert server_first, "no challenge"
        fields = dict(field.split(b"=", 1) for field in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        without_proof = b"c=" + _base64(header + binding_data) + b",r=" + fields[b"r"]
        message = b",".join([bare, server_first, without_proof])
        key = _hmac(salted, b"Client Key")
        proof = bytes(a ^ b for a, b in zip(key, _hmac(hashlib.sha256(key).digest(), message)))
        self.socket.sendall(_base64(without_proof + b",p=" + _base64(proof)) + b"\r\n")
        line = self.lines.readline()
        server_final = self._challenge(line)
        if server_final is None:
            return line
        assert server_final == b"v=" + _base64(_hmac(_hmac(salted, b"Server Key"), message)), server_final
        self.socket.sendall(b"\r\n")
        return self.lines.readline()
