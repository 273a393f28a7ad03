"""Volumes that are not as they should be: the log says what is wrong and what to do."""
import os
import smtplib
import subprocess

from clients import PASSWORD, messages, send
from container import Unavailable

ANNA = "anna@example.test"


def refused(containers, volume, *options, **more):
    container = containers.start(volume, *options, **more)
    assert container.wait_until_ended() == 1
    log = container.log()
    container.remove()
    return log


def test_a_read_only_volume_is_told(containers):
    log = refused(containers, containers.volume() + ":/data:ro")
    assert "/data is on a read-only file system" in log and "mount it for writing" in log, log


def test_mail_outlives_a_volume_that_was_mounted_wrong_or_changed_hands(containers):
    containers.make_network()
    folder = containers.path("with-mail")
    os.makedirs(folder)
    os.chown(folder, 10001, 10001)
    options = {"address": containers.address(32), "environment": {
        "POSTHUS_HOSTNAME": "mail.example.test", "POSTHUS_SETUP_ADMIN": ANNA, "POSTHUS_SETUP_ADMIN_PASSWORD": PASSWORD}}
    container = containers.start(folder + ":/data", **options).wait_until_healthy()
    send(container, ANNA)
    container.stop()
    container.remove()
    log = refused(containers, folder + ":/data:ro", **options)
    assert "/data is on a read-only file system" in log, log
    subprocess.run(["chown", "-R", "0:0", folder], check=True, timeout=60)
    log = refused(containers, folder + ":/data", **options)
    assert "/data belongs to user 0" in log and "chown -R 10001:10001" in log, log
    subprocess.run(["chown", "-R", "10001:10001", folder], check=True, timeout=60)  # as it was told
    container = containers.start(folder + ":/data", **options).wait_until_healthy()
    assert messages(container, ANNA) == 1
    send(container, ANNA)
    assert messages(container, ANNA) == 2


def test_a_volume_of_another_user_is_told(containers):
    folder = containers.path("of-root")
    os.makedirs(folder, mode=0o755)
    log = refused(containers, folder + ":/data")
    assert "/data belongs to user 0" in log and "chown -R 10001:10001" in log, log
    # Filled by another user, then handed over only at its top.
    os.makedirs(folder + "/segments", mode=0o700)
    os.chown(folder, 10001, 10001)
    log = refused(containers, folder + ":/data")
    assert "/data/segments belongs to user 0" in log and "chown -R 10001:10001" in log, log


def test_a_full_volume_is_told_and_what_it_holds_is_served(containers):
    containers.make_network()
    folder, image = containers.path("small"), containers.path("small.img")
    os.makedirs(folder)
    with open(image, "wb") as f:
        f.truncate(48 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True, timeout=60)
    if subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, timeout=60).returncode:
        raise Unavailable("no loop devices here")
    try:
        os.chown(folder, 10001, 10001)
        options = {"address": containers.address(31), "environment": {
            "POSTHUS_HOSTNAME": "mail.example.test", "POSTHUS_SETUP_ADMIN": "anna@example.test", "POSTHUS_SETUP_ADMIN_PASSWORD": PASSWORD}}
        container = containers.start(folder + ":/data", **options).wait_until_healthy()
        send(container, ANNA)
        container.stop()
        fill(folder)
        container.start()
        assert messages(container, ANNA) == 1, "what is held is served"
        try:
            send(container, ANNA, size=1_000_000)
            raise AssertionError("a message was taken onto a full disk")
        except smtplib.SMTPResponseException as refusal:
            assert 400 <= refusal.smtp_code < 500, refusal
        os.remove(os.path.join(folder, "ballast"))
        container.stop()
        container.start()
        send(container, ANNA)
        assert messages(container, ANNA) == 2
        container.remove()
        # A new server on a full disk.
        subprocess.run(["find", folder, "-mindepth", "1", "-delete"], check=True, timeout=60)
        fill(folder)
        log = refused(containers, folder + ":/data", **options)
        assert "No space left on device" in log and "make room where /data lies" in log, log
    finally:
        for container in list(containers.running):
            container.remove()
        subprocess.run(["umount", folder], check=False, timeout=60)


def fill(folder):
    with open(os.path.join(folder, "ballast"), "wb") as f:
        try:
            while True:
                f.write(bytes(4096))
                f.flush()
        except OSError:
            pass
