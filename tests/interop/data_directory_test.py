"""A data directory that cannot be written to, without a container: the log says what is wrong and what to do, nothing of it is harmed,
and once it is put right everything is there. Needs root. In a container: tests/container/volumes_test.py; full disks: tests/crash/faults.py."""
import os
import shutil
import subprocess

import mail
from outgoing_scene import PASSWORD, Site
from posthus_server import PosthusServer

READ_ONLY = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"']
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def refused(server, *wrapper):
    """What the log says when it does not start."""
    before = len(server.log()) if os.path.exists(server.log_path) else 0
    server.wrapper = list(wrapper)
    server.launch()
    assert server.process.wait(60) == 1, server.log()[before:]
    server.wrapper = []
    return server.log()[before:]


def test_a_data_directory_that_cannot_be_written_is_told_and_put_right(scene):
    with Site(scene.server.binary, "127.0.0.2", "here.test") as site:
        server = site.server
        marker = mail.unique()
        site.send(site.user, marker=marker)
        site.wait_for_mail(marker)
        server.stop()
        log = refused(server, *READ_ONLY, server.data)
        assert "%s is on a read-only file system" % server.data in log and "mount it for writing" in log, log
        os.chmod(server.directory, 0o755)
        log = refused(server, *NOBODY)
        assert "%s belongs to user 0" % server.data in log and "chown -R 65534:65534" in log, log
        # Handed over only at its top.
        os.chown(server.data, 65534, 65534)
        log = refused(server, *NOBODY)
        assert "/index belongs to user 0" in log or "/segments belongs to user 0" in log, log
        assert "chown -R 65534:65534" in log, log
        subprocess.run(["chown", "-R", "0:0", server.data], check=True, timeout=60)
        server.start()
        assert [m["Subject"] for m in site.inbox()] == [marker]
        assert "Everything is consistent" in server.cli("check", "--bytes").stdout.decode()


def test_a_new_server_in_a_place_it_cannot_have_is_told_and_starts_elsewhere(scene):
    server = PosthusServer(scene.server.binary, environment={"POSTHUS_DNS_SERVERS": "127.0.0.1@9"})
    try:
        place = os.path.join(server.directory, "sealed")
        os.makedirs(place)
        server.data = os.path.join(place, "data")
        log = refused(server, *READ_ONLY, place)
        assert "%s cannot be made" % server.data in log and "mount a volume there" in log, log
        server.start()
        server.add_domain("here.test")
        server.add_user("anna@here.test", PASSWORD)
    finally:
        server.stop()
        shutil.rmtree(server.directory, ignore_errors=True)
