// Changing a mailbox in one form: storage, forwarding, role, how much it may send.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { patch, put } from "../api";
import { listOf } from "../csv";
import type { Role, User } from "../../generated/api";
import { Dialog, Field, Select } from "../forms";
import { Failure, toast } from "../parts";
import { isServerAdmin } from "../session";
import { t } from "../words";
import { parseDays, parseLimit, sizeIn, sizeText } from "./limits";

export function SignInKind({ kind, setKind, hint }: { kind: "person" | "shared"; setKind: (kind: "person" | "shared") => void; hint?: string }): JSX.Element {
  return <div class="field"><span class="label">{t("sign-in.kind")}</span><Select<"person" | "shared"> label={t("sign-in.kind")} value={kind} onChange={setKind} options={[["person", t("sign-in.person")], ["shared", t("sign-in.shared")]]} />{hint && <p class="hint">{hint}</p>}</div>;
}

export function ChangeMailbox({ user, isSelf, close, done }: { user: User; isSelf: boolean; close: () => void; done: () => void }): JSX.Element {
  const [quota, setQuota] = useState(sizeText(user.quota_bytes));
  const [days, setDays] = useState(user.pop3_retention_days?.toString() ?? "");
  const [forward, setForward] = useState(user.forward_to.join(", "));
  const [keeps, setKeeps] = useState<"yes" | "no">(user.keeps_copy ? "yes" : "no");
  const [role, setRole] = useState<Role>(user.role);
  const [kind, setKind] = useState<"person" | "shared">(user.shared ? "shared" : "person");
  const [domains, setDomains] = useState(user.admin_of.join(", "));
  const [messages, setMessages] = useState(user.messages_per_day?.toString() ?? "");
  const [recipients, setRecipients] = useState(user.new_recipients_per_day?.toString() ?? "");
  const [error, setError] = useState<unknown>();
  const bytes = sizeIn(quota, user.quota_bytes);
  const limit = parseLimit(messages);
  const newLimit = parseLimit(recipients);
  const keptDays = parseDays(days, null);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (bytes === undefined || limit === undefined || newLimit === undefined || keptDays === undefined) return;
    patch<User>(["users", user.address], { quota_bytes: bytes, forward_to: listOf(forward), keeps_copy: keeps === "yes", pop3_retention_days: keptDays, ...((kind === "shared") === user.shared ? {} : { shared: kind === "shared" }), ...(isServerAdmin() ? { messages_per_day: limit, new_recipients_per_day: newLimit, ...(isSelf || kind === "shared" ? {} : { role, ...(role === "domain_admin" ? { admin_of: listOf(domains) } : {}) }) } : {}) })
      .then(() => { toast(t("saved")); close(); done(); }, setError);
  };
  return (
    <Dialog title={t("change.of", { name: user.address })} close={close}><form class="stack" onSubmit={submit}>
      {!isSelf && role === "user" && <SignInKind kind={kind} setKind={setKind} {...(kind === "shared" && !user.shared ? { hint: t("shared.about") } : {})} />}
      <Field label={t("storage-limit")} name="quota" value={quota} onInput={setQuota} hint={t("quota.change.hint")} autofocus {...(bytes === undefined ? { error: t("quota.bad") } : {})} />
      <Field label={t("retention")} name="retention" value={days} onInput={setDays} hint={t("retention.hint.user")} {...(keptDays === undefined ? { error: t("retention.bad") } : {})} />
      <Field label={t("forward-to")} name="forward" value={forward} onInput={setForward} hint={t("forward.hint")} />
      {forward.trim() !== "" && <div class="field"><span class="label">{t("copy-here")}</span><Select<"yes" | "no"> label={t("copy-here")} value={keeps} onChange={setKeeps} options={[["yes", t("keeps-copy")], ["no", t("keeps-no-copy")]]} /></div>}
      {isServerAdmin() && <Field label={t("messages-per-day")} name="messages" value={messages} onInput={setMessages} hint={t("limit.hint.user")} {...(limit === undefined ? { error: t("limit.bad") } : {})} />}
      {isServerAdmin() && <Field label={t("recipients-per-day")} name="recipients" value={recipients} onInput={setRecipients} hint={t("limit.hint.user")} {...(newLimit === undefined ? { error: t("limit.bad") } : {})} />}
      {!isSelf && isServerAdmin() && kind !== "shared" && <div class="field"><span class="label">{t("role")}</span><Select<Role> label={t("role")} value={role} onChange={setRole} options={[["user", t("role.user")], ["domain_admin", t("role.domain-admin")], ["server_admin", t("role.admin")]]} /></div>}
      {role === "domain_admin" && !isSelf && isServerAdmin() && <Field label={t("admin-of")} name="admin-of" value={domains} onInput={setDomains} hint={t("admin-of.hint")} required />}
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}

export function RenameMailbox({ user, close, done }: { user: User; close: () => void; done: (address: string) => void }): JSX.Element {
  const [address, setAddress] = useState(user.address);
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    put<User>(["users", user.address, "address"], { address: address.trim() }).then((renamed) => { toast(t("renamed", { name: renamed.address })); close(); done(renamed.address); }, setError);
  };
  return (
    <Dialog title={t("rename.of", { name: user.address })} close={close}><form class="stack" onSubmit={submit}>
      <p class="small muted">{t("rename.about")}</p>
      <Field label={t("rename.new")} name="address" type="email" value={address} onInput={setAddress} required autofocus />
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("rename")}</button></div>
    </form></Dialog>
  );
}
