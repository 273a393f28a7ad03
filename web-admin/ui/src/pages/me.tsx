// One's own account: storage, setting up a device, the password, and where one is signed in. For everybody.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, get, put, remove } from "../api";
import type { Session, User } from "../../generated/api";
import { ApiError } from "../api";
import { browserOf } from "../format";
import { Dialog, Field } from "../forms";
import { holdWords } from "../hold";
import { Card, Failure, Head, Icon, Shown, Time, toast, useLoad } from "../parts";
import { t } from "../words";
import { AppPasswordsCard } from "./app_passwords";
import { DelegatesCard, DelegationsCard } from "./delegates";
import { Folders } from "./folders";
import { Forwarding } from "./forwarding";
import { Storage, UserState } from "./mailbox_state";
import { OwnAliases } from "./own_aliases";
import { PasskeysCard, useOwnPasskeys } from "./passkeys";
import { SecondFactorCard } from "./second_factor";

export function MePage(): JSX.Element {
  const me = useLoad("me", (signal) => get<User>(["me"], {}, signal), 60);
  const passkeys = useOwnPasskeys();
  const [asks, ask] = useState(false);
  const [isOpen, setOpen] = useState(false);
  return (
    <Shown from={me}>{(user) => (
      <>
        <Head title={titleOf(user)} {...(user.sending.held || isFull(user) ? { tone: "warn" as const } : { tone: "ok" as const })} about={<span class="break">{user.address}</span>}>
          <button type="button" class="btn" onClick={() => ask(true)}><Icon name="key" />{t("password.change")}</button>
        </Head>
        {user.sending.held && <div class="notice warn"><Icon name="s-warn" tone="warn" /><div class="grow"><b>{t("me.held")}</b> {holdWords(user.sending.hold)}<p class="small muted">{t("me.held.about")}</p></div></div>}
        <div class="halves">
          <Card title={t("storage")}><div class="pad stack tight"><Storage user={user} /><p class="small muted">{t("n.mails", { n: user.usage.messages })}</p>{isFull(user) && <p class="small">{t("me.full.about")}</p>}<details onToggle={(event) => setOpen(event.currentTarget.open)}><summary>{t("folders")}</summary>{isOpen && <Folders />}</details></div></Card>
          <Card title={t("device")}><div class="pad stack"><p class="small muted">{t("device.about")}</p><a class="btn" href="/me/device"><Icon name="phone" />{t("device.open")}</a></div></Card>
        </div>
        <Shown from={passkeys} rows={2}>{(page) => <PasskeysCard page={page} done={passkeys.reload} />}</Shown>
        <SecondFactorCard key={hasPasskeys(passkeys)} hasPasskeys={hasPasskeys(passkeys) === "some"} />
        <OwnAliases />
        <AppPasswordsCard />
        <Sessions />
        <DelegationsCard path={["me"]} />
        <DelegatesCard path={["me"]} />
        <Forwarding user={user} done={me.reload} />
        {user.disabled && <UserState user={user} />}
        {asks && <ChangePassword close={() => ask(false)} />}
      </>
    )}</Shown>
  );
}

/** "some" of this name; the card of the second factor asks the server anew when that changes. */
const hasPasskeys = (loaded: ReturnType<typeof useOwnPasskeys>): "some" | "none" => (loaded.value?.items.some((one) => one.hostname === location.hostname) ? "some" : "none");

const isFull = (user: User): boolean => user.quota_bytes > 0 && user.usage.bytes >= 0.9 * user.quota_bytes;
const titleOf = (user: User): string => (user.sending.held ? t("me.title.held") : isFull(user) ? t("me.title.full") : t("me.title"));

function Sessions(): JSX.Element {
  const [error, setError] = useState<unknown>();
  const loaded = useLoad("sessions", (signal) => get<{ items: Session[] }>(["sessions"], {}, signal), 60);
  const end = (what: Promise<unknown>, text: string): void => void what.then(() => { setError(undefined); toast(text); loaded.reload(); }, setError);
  return (
    <Card title={t("sessions")} aside={<button type="button" class="btn s" onClick={() => end(call<{ closed: number }>("DELETE", ["sessions"]), t("sessions.ended"))}>{t("sessions.end-others")}</button>}>
      {error !== undefined && <div class="pad"><Failure error={error} /></div>}
      <Shown from={loaded}>{({ items }) => <ul class="rows">{items.map((one) => (
        <li key={one.id} class="session"><Icon name={one.is_this ? "s-ok" : "globe"} tone={one.is_this ? "ok" : "off"} />
          <div class="grow"><b class="break" title={one.user_agent}>{browserOf(one.user_agent) || t("unknown-browser")}</b>{one.is_this && <> <span class="tag ok">{t("sessions.this")}</span></>}
            <p class="small muted break">{t("sessions.since", { address: one.remote_address })} <Time at={one.created} as="short" /> · {t("sessions.used")} <Time at={one.last_used} /> · {t("sessions.ends")} <Time at={one.idle_ends} as="short" /></p></div>
          {!one.is_this && <button type="button" class="btn s" aria-label={`${t("sign-out")}: ${browserOf(one.user_agent)}, ${one.remote_address}`} onClick={() => end(remove(["sessions", one.id]), t("sessions.ended"))}>{t("sign-out")}</button>}</li>
      ))}</ul>}</Shown>
    </Card>
  );
}

function ChangePassword({ close }: { close: () => void }): JSX.Element {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    put<void>(["me", "password"], { current, password }).then(() => { toast(t("password.set")); close(); }, setError);
  };
  const isWrong = error instanceof ApiError && error.status === 403;
  return (
    <Dialog title={t("password.change")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("password.current")} name="current" type="password" autocomplete="current-password" value={current} onInput={(value) => { setCurrent(value); if (isWrong) setError(undefined); }} required autofocus {...(isWrong ? { error: t("password.wrong") } : {})} />
      <Field label={t("password.new")} name="new-password" type="password" autocomplete="new-password" value={password} onInput={setPassword} required hint={t("password.own.hint")} />
      {error !== undefined && !isWrong && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
