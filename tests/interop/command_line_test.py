"""The command line against the running server, and the admin API with curl."""
import json
import os
import poplib
import subprocess

import mail


def test_directory_commands(scene):
    cli = scene.server.cli
    cli("domain", "add", "second.test")
    assert "second.test" in cli("domain", "list").stdout.decode()
    cli("user", "add", "carl@second.test", "--password-stdin", stdin="some-password-1\n")
    cli("user", "quota", "carl@second.test", "1048576")
    keeps_mail_as_long_as_told(scene.server)
    cli("alias", "add", "sales@second.test", "carl@second.test")
    assert "sales@second.test" in cli("alias", "list").stdout.decode()
    assert cli("domain", "remove", "second.test", check=False).returncode == 1
    cli("alias", "remove", "sales@second.test")
    cli("user", "remove", "carl@second.test")
    cli("domain", "remove", "second.test")
    assert "second.test" not in cli("domain", "list").stdout.decode()


def keeps_mail_as_long_as_told(server):
    """What is set for the domain, then for the user, is what POP3 announces to him (RFC 2449 §6.7)."""
    def announced():
        pop = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], context=server.tls())
        pop.user("carl@second.test")
        pop.pass_("some-password-1")
        expire = pop.capa()["EXPIRE"]
        pop.quit()
        return expire

    assert announced() == ["NEVER"], announced()
    server.cli("domain", "retention", "second.test", "30")
    assert announced() == ["30"], announced()
    assert b"7 days" in server.cli("user", "retention", "carl@second.test", "7").stdout
    assert announced() == ["7"], announced()
    server.cli("user", "retention", "carl@second.test", "default")
    assert announced() == ["30"], announced()
    assert server.cli("user", "retention", "carl@second.test", "long", check=False).returncode == 2


def test_exit_codes(scene):
    assert scene.server.cli("user", "add", scene.anna, "--password-stdin", stdin="x-password-1\n", check=False).returncode == 1
    assert scene.server.cli("no-such-command", check=False).returncode == 2
    assert scene.server.cli("version").returncode == 0


def test_refusals_with_json_are_problems(scene):
    """RFC 9457 §3: whoever reads the answers finds the reason in them, and people on standard error."""
    nowhere, here = os.path.join(scene.directory, "nowhere"), scene.server.data
    for code, data, arguments in (
            (1, here, ["user", "add", scene.anna, "--password-stdin"]), (1, here, ["user", "remove", "nobody@example.test"]),
            (1, here, ["domain", "remove", "example.test"]), (1, here, ["deliver", "nobody@example.test"]), (1, here, ["token", "revoke", "x"]),
            (1, here, ["queue", "show", "x"]), (1, here, ["check", "--rebuild"]), (1, here, ["support-bundle", os.path.join(nowhere, "a")]),
            (1, nowhere, ["user", "list"]), (1, nowhere, ["health"]), (1, nowhere, ["block", "list"]),
            (2, here, ["user", "quota", scene.anna, "much"]), (2, here, ["no-such-command"]), (2, here, ["user", "add"]),
            (2, here, ["user", "list", "--set", "ports.smtp=many"]), (2, here, ["user", "list", "--set", "nonsense"])):
        done = subprocess.run([scene.server.binary, *arguments, "--data", data, "--json"], input=b"a-password-1\n", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=scene.server.environment, cwd=scene.directory, timeout=60)
        assert done.returncode == code, (arguments, done)
        problem = json.loads(done.stdout)
        assert problem["title"] and problem["detail"] in done.stderr.decode(), (arguments, done)
    bundle = os.path.join(scene.directory, "bundle.tar")
    assert scene.server.cli_json("support-bundle", bundle) == {"file": bundle}


def test_commands_do_not_make_a_store_by_the_way(scene):
    """A mistyped --data is refused; only `domain add` and `serve` make a store."""
    nowhere = os.path.join(scene.directory, "nowhere")

    def run(*arguments, stdin=b""):
        return subprocess.run([scene.server.binary, *arguments, "--data", nowhere], input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=scene.server.environment, cwd=scene.directory, timeout=60)

    for arguments in (["domain", "list"], ["user", "list"], ["user", "add", "a@b.test", "--generate"], ["alias", "list"], ["token", "list"],
                      ["check"], ["check", "--rebuild"], ["backup", nowhere + "-backup"], ["deliver", "a@b.test"], ["health"]):
        done = run(*arguments)
        assert done.returncode == 1 and b"nowhere" in done.stderr, (arguments, done)
        assert not os.path.exists(nowhere), arguments
    assert run("domain", "add", "b.test").returncode == 0
    assert b"b.test" in run("domain", "list").stdout
    assert run("check").returncode == 0


def test_alias_catch_all_and_detail_deliver(scene):
    cli = scene.server.cli
    cli("alias", "add", "info@example.test", scene.anna)
    cli("domain", "add", "all.test")
    cli("alias", "add", "@all.test", scene.ben)
    client = mail.mx(scene)
    for to, user in (("info@example.test", scene.anna), ("whoever@all.test", scene.ben), ("anna+shop@example.test", scene.anna),
                     ("POSTMASTER@example.test", None)):
        marker = mail.unique()
        client.sendmail("s@elsewhere.test", [to], mail.message(marker)) if user else None
        assert user is None or len(mail.find(scene, user, marker)) == 1, to
    client.quit()


def test_postmaster_and_address_literals_are_always_there(scene):
    """RFC 5321 §4.5.1, §4.1.3: nobody here is an admin, and the server was told no literal."""
    for to in ("postmaster", "PostMaster@example.test", "postmaster@[127.0.0.1]"):
        client = mail.mx(scene)
        client.ehlo()
        client.mail("s@elsewhere.test")
        assert client.docmd("RCPT TO:<%s>" % to)[0] == 250, to
        client.quit()
    client = mail.mx(scene)
    client.ehlo()
    client.mail("s@elsewhere.test")
    assert client.docmd("RCPT TO:<postmaster@[192.0.2.1]>")[0] == 550
    client.quit()


def test_deliver_from_standard_input(scene):
    marker = mail.unique()
    scene.server.cli("deliver", scene.anna, stdin=mail.message(marker).replace(b"\r\n", b"\n"))
    assert len(mail.find(scene, scene.anna, marker)) == 1


def test_disabled_users_get_no_mail_and_no_login(scene):
    cli = scene.server.cli
    cli("user", "add", "dora@example.test", "--password-stdin", stdin=scene.password + "\n")
    cli("user", "disable", "dora@example.test")
    client = mail.mx(scene)
    client.ehlo()
    client.mail("s@elsewhere.test")
    assert client.rcpt("dora@example.test")[0] == 550
    client.quit()
    try:
        mail.imap(scene, "dora@example.test")
        raise AssertionError("a disabled user logged in")
    except mail.imaplib.IMAP4.error:
        pass
    cli("user", "enable", "dora@example.test")
    mail.imap(scene, "dora@example.test").logout()


def test_a_new_password_counts_at_once(scene):
    cli = scene.server.cli
    cli("user", "add", "emil@example.test", "--password-stdin", stdin=scene.password + "\n")
    mail.imap(scene, "emil@example.test").logout()
    cli("user", "password", "emil@example.test", "--password-stdin", stdin="another-one-9\n")
    try:
        mail.imap(scene, "emil@example.test")
        raise AssertionError("the old password still works")
    except mail.imaplib.IMAP4.error:
        pass


def test_check_and_backup_of_the_running_server(scene):
    report = scene.server.cli_json("check")
    assert report["findings"] == [], report
    scene.server.cli("backup", os.path.join(scene.directory, "backup"))
    assert os.listdir(os.path.join(scene.directory, "backup"))


def test_admin_api_with_a_token(scene):
    created = scene.server.cli_json("token", "create", "interop", "--scope", "read")
    base = "https://127.0.0.1:%d" % scene.ports["https"]

    def get(path, *options):
        return subprocess.run(["curl", "-sSk", "-w", "\n%{http_code}", *options, base + path], stdout=subprocess.PIPE, timeout=60).stdout.rsplit(b"\n", 1)

    bearer = ["-H", "Authorization: Bearer " + created["token"]]
    body, code = get("/api/v1/users", *bearer)
    assert code == b"200" and any(u["address"] == scene.anna for u in json.loads(body)["items"]), body
    assert get("/api/v1/users")[1] == b"401"
    assert get("/api/v1/users", "-X", "DELETE", *bearer)[1] in (b"403", b"404", b"405")
    assert get("/healthz")[1] == b"200"
    assert get("/metrics", *bearer)[1] == b"200"


def test_wrong_settings_are_refused_with_their_line(scene):
    path = os.path.join(scene.directory, "posthus.toml")
    with open(path, "w") as f:
        f.write('hostname = "localhost"\nhostnme = "x"\n')
    done = subprocess.run([scene.server.binary, "config", "show", "--config", path, "--data", scene.server.data], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=scene.server.environment, timeout=60)
    assert done.returncode == 2, done
    assert b"posthus.toml:2" in done.stderr and b"hostnme" in done.stderr, done.stderr
