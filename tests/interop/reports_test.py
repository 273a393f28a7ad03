"""Delivery reports (tests/golden/dsn) as Python's email package reads them: RFC 6522, RFC 3464, RFC 6533."""
import email
import email.policy
import glob
import os

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "dsn")
PER_MESSAGE = {"Original-Envelope-Id", "Reporting-MTA", "Arrival-Date", "X-Posthus-Queue-Id"}
PER_RECIPIENT = {"Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code",
                 "Last-Attempt-Date", "Will-Retry-Until"}
RETURNED = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}


def reports():
    for path in sorted(glob.glob(os.path.join(GOLDEN, "*.eml"))):
        with open(path, "rb") as file:
            yield os.path.basename(path), file.read()


def status_groups(part):
    """The groups of fields of the machine-readable part, the first is about the message."""
    content = part.get_payload()
    if part.get_content_type() == "message/delivery-status":
        return content
    text = content[0].as_bytes(policy=email.policy.SMTPUTF8).decode()  # the package takes the global form for one message
    return [email.message_from_string(group, policy=email.policy.SMTPUTF8) for group in text.split("\r\n\r\n") if group.strip()]


def test_reports_have_the_three_parts(_):
    seen = 0
    for name, data in reports():
        seen += 1
        message = email.message_from_bytes(data, policy=email.policy.SMTPUTF8)
        assert not message.defects, (name, message.defects)
        assert message.get_content_type() == "multipart/report", name
        human, machine, returned = message.iter_parts()
        assert message.get_param("report-type") == machine.get_content_subtype(), name
        assert human.get_content_type() == "text/plain" and machine.get_content_maintype() == "message", name
        assert returned.get_content_type() in RETURNED, (name, returned.get_content_type())
        for part in message.walk():
            assert not part.defects, (name, part.get_content_type(), part.defects)
        assert message["Auto-Submitted"] == "auto-replied" and message["MIME-Version"] == "1.0", name
        assert message["In-Reply-To"] == message["References"] and message["Date"].datetime, name
    assert seen >= 13, seen


def test_reports_for_everybody_are_seven_bit(_):
    for name, data in reports():
        if not name.startswith(("utf8-full", "utf8-header")):
            data.decode("ascii")
        assert b"\r\n" in data and data.count(b"\n") == data.count(b"\r\n"), name
        assert max(len(line) for line in data.split(b"\r\n")) <= 998, name


def test_reports_name_every_recipient_to_people_and_programs(_):
    for name, data in reports():
        message = email.message_from_bytes(data, policy=email.policy.SMTPUTF8)
        human, machine, _returned = message.iter_parts()
        text = human.get_content()
        about, *recipients = status_groups(machine)
        assert set(about.keys()) <= PER_MESSAGE and about["Reporting-MTA"] == "dns; mx.example.test", (name, about.keys())
        assert recipients, name
        for group in recipients:
            assert set(group.keys()) <= PER_RECIPIENT, (name, group.keys())
            assert group["Action"] in ("failed", "delayed", "delivered", "relayed") and group["Status"][1] == ".", name
            kind, address = group["Final-Recipient"].split("; ")
            assert kind in ("rfc822", "utf-8"), name
            plain = address.replace("\\x{F8}", "ø").replace("\\x{2B}", "+")
            assert plain in text, (name, plain)
            assert ("Will-Retry-Until" in group) == (group["Action"] == "delayed"), name
            if "Diagnostic-Code" in group and group["Diagnostic-Code"].startswith("smtp;"):
                assert group["Diagnostic-Code"][6:9] in text, name


def test_reports_return_the_message_as_it_was(_):
    for name, data in reports():
        message = email.message_from_bytes(data, policy=email.policy.SMTPUTF8)
        returned = list(message.iter_parts())[2]
        if returned.get_content_type() in ("message/rfc822", "message/global"):
            original = returned.get_payload()[0]
            assert original["Message-ID"] == message["In-Reply-To"], name
            assert original.get_payload(), name
        else:
            assert b"Message-ID: " + message["In-Reply-To"].encode() in (returned.get_payload(decode=True) or bytes(returned)), name
