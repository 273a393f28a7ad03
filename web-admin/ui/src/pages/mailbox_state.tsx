// How full a mailbox is, and whether it works.
import type { JSX } from "preact";
import type { User } from "../../generated/api";
import { size } from "../format";
import { Bar, State, type Tone } from "../parts";
import { t } from "../words";

export function Storage({ user }: { user: User }): JSX.Element {
  if (!user.quota_bytes) return <span class="small nowrap">{size(user.usage.bytes)} <span class="muted">{t("no-limit")}</span></span>;
  const part = user.usage.bytes / user.quota_bytes;
  const tone: Tone = part >= 0.95 ? "bad" : part >= 0.8 ? "warn" : "info";
  return (
    <><span class="small nowrap">{size(user.usage.bytes)} <span class="muted">{t("of", { size: size(user.quota_bytes) })}</span>{tone !== "info" && <span class={tone}> · {Math.round(part * 100)} %</span>}</span><Bar part={part} tone={tone} /></>
  );
}

export function UserState({ user }: { user: User }): JSX.Element {
  if (user.disabled) return <State tone="off">{t("disabled")}</State>;
  if (user.sending.held) return <State tone="warn">{t("on-hold")}</State>;
  if (user.shared) return <State tone="info">{t("shared-mailbox")}</State>;
  if (!user.has_password) return <State tone="warn">{t("no-password")}</State>;
  return <State tone="ok">{t("active")}</State>;
}
