"""Logins that stock clients do not do: SCRAM with channel binding over real TLS; a certificate that is replaced; an account that is
locked out while it is signed in."""
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


def signed_in(scene, user, password):
    """A session of each protocol that waits for a command, and one in IDLE."""
    dialogs = [Dialog(scene, protocol) for protocol in ("submissions", "pop3s", "imaps", "imaps")]
    for dialog in dialogs:
        line = dialog.log_in(user, password)
        assert line.startswith(WELCOME[dialog.protocol]), line
    dialogs[-1].socket.sendall(b"i SELECT INBOX\r\nj IDLE\r\n")
    while not dialogs[-1].lines.readline().startswith(b"+ "):
        pass
    return dialogs


def test_who_is_locked_out_is_out_at_once(scene):
    cli, password, thief = scene.server.cli, scene.password, "thief@example.test"
    scene.server.add_user(thief, password)
    for lock_out in ("disable", "password", "remove"):
        theirs, others = signed_in(scene, thief, password), signed_in(scene, scene.ben, scene.password)
        if lock_out == "password":
            password = "another-" + password
            cli("user", "password", thief, "--password-stdin", stdin=password + "\n")
        else:
            cli("user", lock_out, thief)
        for dialog in theirs:
            farewell = dialog.lines.read()  # to the end of the connection, or the socket's time-out
            assert farewell.startswith((b"421 ", b"-ERR ", b"* BYE ")), (dialog.protocol, farewell)
            dialog.close()
        others[-1].socket.sendall(b"DONE\r\n")
        for dialog in others:
            dialog.socket.sendall(b"n NOOP\r\n" if dialog.protocol == "imaps" else b"NOOP\r\n")
            assert dialog.lines.readline().startswith((b"250 ", b"+OK", b"n OK", b"j OK")), dialog.protocol
            dialog.close()
        if lock_out == "disable":
            cli("user", "enable", thief)
