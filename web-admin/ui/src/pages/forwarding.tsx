// Where one's own mail goes on to.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { patch } from "../api";
import { listOf } from "../csv";
import type { User } from "../../generated/api";
import { Dialog, Field, Select } from "../forms";
import { Card, Failure, toast } from "../parts";
import { t } from "../words";

export function Forwarding({ user, done }: { user: User; done: () => void }): JSX.Element {
  const [asks, ask] = useState(false);
  return (
    <Card title={t("forwarding")} aside={<button type="button" class="btn s" onClick={() => ask(true)}>{t("change")} …</button>}>
      <div class="pad stack tight">{user.forward_to.length === 0 ? <p class="small muted">{t("forwarding.none")}</p>
        : <><ul>{user.forward_to.map((to) => <li key={to} class="break">{to}</li>)}</ul><p class="small muted">{user.keeps_copy ? t("keeps-copy") : t("keeps-no-copy")}</p></>}</div>
      {asks && <Change user={user} close={() => ask(false)} done={done} />}
    </Card>
  );
}

function Change({ user, close, done }: { user: User; close: () => void; done: () => void }): JSX.Element {
  const [forward, setForward] = useState(user.forward_to.join(", "));
  const [keeps, setKeeps] = useState<"yes" | "no">(user.keeps_copy ? "yes" : "no");
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    patch<User>(["me"], { forward_to: listOf(forward), keeps_copy: keeps === "yes" }).then(() => { toast(t("saved")); close(); done(); }, setError);
  };
  return (
    <Dialog title={t("forwarding")} close={close}><form class="stack" onSubmit={submit}>
      <Field label={t("forward-to")} name="forward" value={forward} onInput={setForward} hint={t("forward.hint")} autofocus />
      {forward.trim() !== "" && <div class="field"><span class="label">{t("copy-here")}</span><Select<"yes" | "no"> label={t("copy-here")} value={keeps} onChange={setKeeps} options={[["yes", t("keeps-copy")], ["no", t("keeps-no-copy")]]} /></div>}
      {error !== undefined && <Failure error={error} />}
      <div class="buttons"><button type="button" class="btn" onClick={close}>{t("cancel")}</button><button class="btn primary">{t("save")}</button></div>
    </form></Dialog>
  );
}
