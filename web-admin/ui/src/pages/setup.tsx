// The set-up of a new server: one thing a page, each tried at once. It can be left at any page and taken up again, since the
// server keeps what was chosen. Whoever sets up shows the token that stands in the server's log.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, get, post, setBearer } from "../api";
import type { SetUp } from "../../generated/api";
import { Field } from "../forms";
import { Failure, Icon, Loading, Toasts } from "../parts";
import { followLinks, go, href, usePlace } from "../router";
import { LanguageAndTheme } from "../shell";
import { t, type Language } from "../words";
import { DeviceSettings } from "./device";
import { FactorStep } from "./setup_factor";
import { AdminStep, CertificateStep, DnsStep, DomainStep, HostnameStep, MailboxStep, SendingStep, type StepProps } from "./setup_steps";

const kSteps = ["admin", "factor", "hostname", "domain", "sending", "certificate", "dns", "mailbox"] as const;
type Step = (typeof kSteps)[number] | "end";
const pages: Record<(typeof kSteps)[number], (props: StepProps) => JSX.Element> = {
  admin: AdminStep, factor: FactorStep, hostname: HostnameStep, domain: DomainStep, sending: SendingStep, certificate: CertificateStep, dns: DnsStep, mailbox: MailboxStep,
};
const kKept = "posthus-set-up";  // the token, until this browser window is closed

/** From the link in the log (#token=…), which is taken out of the address bar, or as it was typed before. */
function keptToken(): string {
  const given = /^#token=([\w.~-]+)$/.exec(location.hash)?.[1];
  if (given) history.replaceState(null, "", location.pathname + location.search);
  try {
    if (given) sessionStorage.setItem(kKept, given);
    return given ?? sessionStorage.getItem(kKept) ?? "";
  } catch {
    return given ?? "";
  }
}

export function SetUpPage(props: { language: Language; setLanguage: (to: Language) => void; done: () => void }): JSX.Element {
  const [token, setToken] = useState(keptToken);
  const [setUp, setSetUp] = useState<SetUp>();
  const [error, setError] = useState<unknown>();
  const [owner, setOwner] = useState<string>();
  const ask = (shown: string): Promise<void> => {
    setBearer(shown);
    return get<SetUp>(["setup"]).then((now) => { setSetUp(now); setError(undefined); }, setError);
  };
  useEffect(() => {
    if (token) void ask(token);
  }, [token]);
  if (owner !== undefined) return <End address={owner} done={props.done} />;
  const isWrong = error instanceof ApiError && error.status === 401;
  if (setUp?.steps) return <Wizard {...props} setUp={setUp} set={setSetUp} finished={setOwner} />;
  if (token && error === undefined) return <Loading />;
  return <Gate {...props} {...(error === undefined ? {} : { error })} isWrong={isWrong} enter={(typed) => {
    try {
      sessionStorage.setItem(kKept, typed);
    } catch {
      // Without storage it is typed again after the page was loaded anew.
    }
    setError(undefined);
    setToken(typed);
    if (typed === token) void ask(typed);
  }} />;
}

function Gate(props: { language: Language; setLanguage: (to: Language) => void; error?: unknown; isWrong: boolean; enter: (token: string) => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  useEffect(() => {
    document.title = `${t("setup")} · Posthus`;
  }, []);
  return (
    <main class="gate" id="main">
      <div class="stack tight"><span class="brand"><Icon name="logo" />Posthus</span><h1>{t("setup.welcome")}</h1><p class="muted">{t("setup.token.about")}</p></div>
      <form class="card" onSubmit={(event) => { event.preventDefault(); props.enter(typed.trim()); }}><div class="pad stack">
        <Field label={t("setup.token")} name="token" value={typed} onInput={setTyped} required autofocus hint={t("setup.token.hint")} {...(props.isWrong ? { error: t("setup.token.wrong") } : {})} />
        {props.error !== undefined && !props.isWrong && <Failure error={props.error} />}
        <button class="btn primary wide">{t("setup.begin")}</button>
      </div></form>
      <LanguageAndTheme language={props.language} setLanguage={props.setLanguage} />
    </main>
  );
}

function Wizard({ setUp, set, finished, language, setLanguage }: { setUp: SetUp; set: (to: SetUp) => void; finished: (address: string) => void; language: Language; setLanguage: (to: Language) => void }): JSX.Element {
  const place = usePlace();
  const steps = setUp.steps ?? [];
  const firstOpen = steps.find((one) => !one.done)?.name ?? "end";
  const wished = place.query.get("step");
  const step: Step = [...kSteps, "end" as const].find((one) => one === wished) ?? firstOpen;
  const at = step === "end" ? kSteps.length : kSteps.indexOf(step);
  const next = (): void => {
    go(href([], { step: kSteps[at + 1] ?? "end" }));
    scrollTo(0, 0);
  };
  useEffect(() => {
    document.title = `${t(`setup.${step}`)} · ${t("setup")} · Posthus`;
    document.querySelector<HTMLElement>("#main")?.focus();
  }, [step]);
  const Page = step === "end" ? undefined : pages[step];
  return (
    <div class="wizard" onClick={followLinks}>
      <header class="wizard-nav stack"><span class="brand"><Icon name="logo" />Posthus</span>
        <nav aria-label={t("setup.steps")}><ol class="steps">{kSteps.map((one) => {
          const isDone = steps.find((other) => other.name === one)?.done ?? false;
          return <li key={one} class={isDone ? "done" : ""} {...(one === step ? { "aria-current": "step" as const } : {})}><a href={href([], { step: one })}>{t(`setup.${one}`)}{isDone && <span class="sr"> ({t("done")})</span>}</a></li>;
        })}<li {...(step === "end" ? { "aria-current": "step" as const } : {})}><a href="/?step=end">{t("setup.end")}</a></li></ol></nav>
        <p class="small muted wide">{t("setup.leave")}</p>
        <LanguageAndTheme language={language} setLanguage={setLanguage} />
      </header>
      <main class="stack loose" id="main" tabIndex={-1}>
        <p class="small muted">{t("setup.step", { at: at + 1, all: kSteps.length + 1 })}</p>
        {Page ? <Page key={step} setUp={setUp} set={set} next={next} /> : <Finish setUp={setUp} finished={finished} />}
      </main>
      <Toasts />
    </div>
  );
}

export function Title({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return <div class="stack tight"><h1>{title}</h1><p class="muted">{children}</p></div>;
}

/** What was chosen, in words where the server keeps a key. */
function wordsOf(value: string): string {
  const words = { direct: "setup.direct", smarthost: "setup.smarthost", self_signed: "setup.self-signed", upload: "setup.upload", acme: "setup.acme", checked: "setup.dns.checked", totp: "factor.on" } as const;
  return Object.hasOwn(words, value) ? t(words[value as keyof typeof words]) : value;
}

function Finish({ setUp, finished }: { setUp: SetUp; finished: (address: string) => void }): JSX.Element {
  const [error, setError] = useState<unknown>();
  const steps = setUp.steps ?? [];
  const lacking = steps.filter((one) => one.required && !one.done);
  const later = steps.filter((one) => !one.required && !one.done);
  const valueOf = (name: string): string => steps.find((one) => one.name === name)?.value ?? "";
  const finish = (): void => void post<SetUp>(["setup", "finish"]).then(() => {
    setBearer("");
    finished(valueOf("mailbox") || valueOf("admin"));
  }, setError);
  return (
    <>
      <Title title={lacking.length ? t("setup.lacking") : t("setup.ready")}>{lacking.length ? t("setup.lacking.about") : t("setup.ready.about")}</Title>
      <section class="card" aria-label={t("setup.steps")}><ul class="rows">{steps.map((one) => (
        <li key={one.name}><Icon name={one.done ? "s-ok" : one.required ? "s-bad" : "s-warn"} tone={one.done ? "ok" : one.required ? "bad" : "warn"} /><div class="grow"><b>{t(`setup.${one.name}`)}</b><p class="small muted break">{one.done ? wordsOf(one.value) : one.required ? t("setup.needed") : t("setup.later")}</p></div><a class="btn s" href={href([], { step: one.name })}>{one.done ? t("change") : t("show")}</a></li>
      ))}</ul></section>
      {later.length > 0 && lacking.length === 0 && <p class="small muted">{t("setup.later.about")}</p>}
      {error !== undefined && <Failure error={error} />}
      <div class="line wizard-foot"><button type="button" class="btn primary" disabled={lacking.length > 0} onClick={finish}>{t("setup.finish")}</button></div>
    </>
  );
}

function End({ address, done }: { address: string; done: () => void }): JSX.Element {
  useEffect(() => {
    go("/", "replace");
    document.title = `${t("setup.over")} · Posthus`;
  }, []);
  return (
    <main class="wizard single" id="main"><div class="stack loose">
      <span class="brand"><Icon name="logo" />Posthus</span>
      <Title title={t("setup.over")}>{t("setup.over.about", { address })}</Title>
      <DeviceSettings address={address} />
      <div class="line wizard-foot"><button type="button" class="btn primary" onClick={done}>{t("sign-in")}</button></div>
      <Toasts />
    </div></main>
  );
}
