"""Logins that stock clients do not do: SCRAM with channel binding over real TLS; a certificate that is replaced."""
import os
import signal
import socket
import ssl
import time

from posthus_server import PosthusServer
from scram import Dialog

WELCOME = {"submissions": b"235 ", "pop3s": b"+OK ", "imaps": b"a OK "}
REFUSAL = {"submissions": b"535 ", "pop3s": b"-ERR [AUTH]", "imaps": b"a NO [AUTHENTICATIONFAILED]"}
LIMIT = 30  # seconds; only reached when the certificate is not replaced


def attempt(scene, protocol, password, kind=None, newest_tls=ssl.TLSVersion.TLSv1_3, spoil=False):
    dialog = Dialog(scene, protocol, newest_tls)
    data = dialog.binding(kind) if kind else b""
    line = dialog.log_in(scene.anna, password, kind, data[::-1] if spoil else data)
    dialog.close()
    return line


def test_scram_binds_to_the_real_tls_channel(scene):
    for protocol, welcome in WELCOME.items():
        for kind, version in (("tls-server-end-point", ssl.TLSVersion.TLSv1_3), ("tls-server-end-point", ssl.TLSVersion.TLSv1_2),
                              ("tls-unique", ssl.TLSVersion.TLSv1_2), (None, ssl.TLSVersion.TLSv1_3)):
            line = attempt(scene, protocol, scene.password, kind, version)
            assert line.startswith(welcome), (protocol, kind, version, line)


def test_scram_refuses_another_channel_and_another_password(scene):
    for protocol, refusal in REFUSAL.items():
        line = attempt(scene, protocol, scene.password, "tls-unique", ssl.TLSVersion.TLSv1_2, spoil=True)
        assert line.startswith(refusal), (protocol, line)
    assert attempt(scene, "imaps", "wrong").startswith(REFUSAL["imaps"])


def certificate(scene):
    with PosthusServer.tls().wrap_socket(socket.create_connection(("127.0.0.1", scene.ports["imaps"]), timeout=60)) as s:
        return s.getpeercert(binary_form=True)


def test_sighup_takes_another_certificate(scene):
    before = certificate(scene)
    for name in ("certificate.pem", "key.pem"):
        os.remove(os.path.join(scene.server.data, "tls", name))
    scene.server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + LIMIT
    while certificate(scene) == before:
        assert time.monotonic() < end, "the old certificate is still used"
        time.sleep(0.02)  # polling, bounded by LIMIT
