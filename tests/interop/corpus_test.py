"""Real messages, delivered and read back byte for byte through POP3 and IMAP."""
import glob
import os

import mail

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "mime")


def corpus():
    """Every message of tests/golden/mime as SMTP can carry it: line ends are CRLF, the last line is ended."""
    texts = []
    for path in sorted(glob.glob(CORPUS + "/**/*", recursive=True)):
        if not os.path.isfile(path) or os.path.basename(path) in ("SOURCE.md", "README.md") or "LICEN" in os.path.basename(path).upper():
            continue
        with open(path, "rb") as f:
            text = f.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        if not text:
            continue
        texts.append((os.path.relpath(path, CORPUS), text if text.endswith(b"\r\n") else text + b"\r\n"))
    assert len(texts) > 100, "the corpus is missing"
    return texts


def test_imap_append_gives_back_the_same_bytes(scene):
    client = mail.imap(scene, scene.anna)
    client.create("Corpus")
    client.select("Corpus")
    texts = [(name, text) for name, text in corpus() if b"\0" not in text]
    for name, text in texts:
        status, data = client.append("Corpus", None, None, text)
        assert status == "OK", (name, data)
    for number, (name, text) in enumerate(texts, 1):
        _, data = client.fetch(str(number), "(RFC822.SIZE BODY.PEEK[])")
        assert data[0][1] == text, name
        assert b"RFC822.SIZE %d" % len(text) in data[0][0], name
    client.logout()


def test_every_structure_of_the_corpus_is_answered(scene):
    client = mail.imap(scene, scene.anna, "Corpus")
    _, data = client.search(None, "ALL")
    count = len(data[0].split())
    for number in range(1, count + 1):
        status, data = client.fetch(str(number), "(ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1] BODY.PEEK[1.MIME])")
        assert status == "OK" and data[0] is not None, number
    client.logout()


def test_smtp_delivery_gives_back_the_same_bytes(scene):
    mail.empty(scene, scene.ben)
    client = mail.mx(scene)
    texts = corpus()
    for name, text in texts:
        # Over-long lines and 8-bit bytes are part of the corpus: the server takes them as they are.
        client.ehlo_or_helo_if_needed()
        code, reply = client.mail("sender@elsewhere.test", ["BODY=8BITMIME"])
        assert code == 250, reply
        assert client.rcpt(scene.ben)[0] == 250
        assert client.docmd("DATA")[0] == 354
        client.send(b"".join((b"." + line if line.startswith(b".") else line) for line in text.splitlines(keepends=True)) if b"\x0b" not in text and b"\x0c" not in text
                    else b"\r\n".join((b"." + line if line.startswith(b".") else line) for line in text.split(b"\r\n")))
        client.send(b".\r\n")
        code, reply = client.getreply()
        assert code == 250, (name, reply)
    client.quit()
    reader, pop = mail.imap(scene, scene.ben), mail.pop(scene, scene.ben)
    assert pop.stat()[0] == len(texts)
    for number, (name, text) in enumerate(texts, 1):
        _, data = reader.fetch(str(number), "(BODY.PEEK[])")
        stored = data[0][1]
        assert stored.endswith(text), name
        added = stored[:len(stored) - len(text)]
        assert added.startswith(b"Return-Path: <sender@elsewhere.test>\r\nReceived: from client.test "), (name, added)
        assert raw_retr(pop, number) == stored, name
    reader.logout()
    pop.quit()


def raw_retr(pop, number):
    """RETR without poplib's line limit and splitting: the bytes as they came, dots unstuffed."""
    pop._putcmd("RETR %d" % number)
    pop.file.readline()
    out = []
    while True:
        line = pop.file.readline()
        if line == b".\r\n":
            return b"".join(out)
        out.append(line[1:] if line.startswith(b".") else line)
