// Does our mail arrive? What others see of this server, and a dry run to any address, from the DNS to the answer to RCPT.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call, get, post } from "../api";
import type { DeliveryReport, SendTest } from "../../generated/api";
import { Field } from "../forms";
import { Card, Empty, Exact, Failure, Head, Icon, Shown, Time, useLoad, type Tone } from "../parts";
import type { Place } from "../router";
import { Said } from "../said";
import { t } from "../words";
import { Progress } from "./check_progress";

const kLightTone: Record<DeliveryReport["light"], Tone> = { green: "ok", yellow: "warn", red: "bad" };
const kLightWord = { green: "light.green", yellow: "light.yellow", red: "light.red" } as const;

export function DeliveryPage({ place }: { place: Place }): JSX.Element {
  const report = useLoad("delivery", (signal) => get<DeliveryReport>(["delivery-check"], {}, signal), 60);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const check = (probe: "configured" | "well_known"): void => {
    setBusy(true);
    call<DeliveryReport>("POST", ["delivery-check"], { parameters: { probe } }).then(() => { setError(undefined); report.reload(); }, setError).finally(() => setBusy(false));
  };
  const found = report.value?.checked ? report.value.light : undefined;
  return (
    <>
      <Head title={found ? t(kLightWord[found]) : t("delivery.title")} about={t("delivery.about")} {...(found ? { tone: kLightTone[found] } : {})}>
        <button type="button" class="btn primary" disabled={isBusy} onClick={() => check("configured")}><Icon name="refresh" />{isBusy ? t("checking") : found ? t("check-again") : t("check-now")}</button>
      </Head>
      {isBusy && <Progress path={["delivery-check", "progress"]} about={t("delivery.busy")} />}
      {error !== undefined && <Failure error={error} />}
      <Card title={t("delivery")} aside={<span class="small muted">{report.value?.checked ? <Time at={report.value.checked} /> : t("not-checked")}</span>}>
        <Shown from={report}>{(one) => (one.checked ? <DeliveryRows report={one} /> : <Empty icon="send" title={t("delivery.never")}><p>{t("delivery.never.about")}</p></Empty>)}</Shown>
        <footer><button type="button" class="btn s" disabled={isBusy} onClick={() => check("well_known")}>{t("delivery.port-25")}</button><span class="muted">{t("delivery.port-25.about")}</span></footer>
      </Card>
      <DryRun first={place.query.get("to") ?? ""} />
    </>
  );
}

function DeliveryRows({ report }: { report: DeliveryReport }): JSX.Element {
  return (
    <ul class="rows">{report.items.map((item) => (
      <li key={item.check + item.subject}>
        <Icon name={item.state === "ok" ? "s-ok" : item.state === "wrong" ? "s-bad" : "s-unknown"} tone={item.state === "ok" ? "ok" : item.state === "wrong" ? "bad" : "off"} label={t(`state.${item.state}`)} />
        <div class="grow">{t(`check.${item.check}`)}<p class="small muted break"><Said text={item.meaning} />{item.action && <> <Said text={item.action} /></>}</p></div>
        <span class="end small muted break">{item.subject}</span>
      </li>
    ))}</ul>
  );
}

const kVerdicts: Record<SendTest["verdict"], readonly [Tone, "s-run" | "s-ok" | "s-bad" | "s-wait"]> = { running: ["info", "s-run"], deliverable: ["ok", "s-ok"], refused: ["bad", "s-bad"], unavailable: ["warn", "s-wait"] };
const kLook = 700;  // ms between looks at a dry run

function DryRun({ first }: { first: string }): JSX.Element {
  const [address, setAddress] = useState(first);
  const [run, setRun] = useState<SendTest>();
  const [error, setError] = useState<unknown>();
  const isRunning = run?.verdict === "running";
  useEffect(() => {
    if (!run || !isRunning) return undefined;
    const timer = setTimeout(() => void get<SendTest>(["send-test", run.id]).then(setRun, (failure: unknown) => { setRun(undefined); setError(failure); }), kLook);
    return () => clearTimeout(timer);
  }, [run]);
  const begin = (event: Event): void => {
    event.preventDefault();
    setError(undefined);
    post<SendTest>(["send-test"], { address: address.trim() }).then(setRun, setError);
  };
  return (
    <Card title={t("dry-run")}>
      <form class="pad stack narrow" onSubmit={begin}>
        <Field label={t("address")} name="dry-run" type="email" value={address} onInput={setAddress} required hint={t("dry-run.about")} />
        <button class="btn" disabled={isRunning}>{isRunning ? t("checking") : t("dry-run.begin")}</button>
        {error !== undefined && <Failure error={error} />}
      </form>
      {run && <Steps run={run} />}
    </Card>
  );
}

/** `works`: what counts when not the recipient is asked about but the way. */
export function Steps({ run, works }: { run: SendTest; works?: boolean | undefined }): JSX.Element {
  const verdict = works === undefined || run.verdict === "running" ? run.verdict : works ? "deliverable" : "refused";
  const [tone, icon] = kVerdicts[verdict];
  const title = works === undefined || run.verdict === "running" ? t(`verdict.${verdict}`) : works ? t("setup.smarthost.works") : t("setup.smarthost.fails");
  return (
    <div aria-live="polite">
      <ul class="rows">
        <li><Icon name={icon} tone={tone} /><div class="grow"><b>{title}</b>{works !== true && <p class="small muted break">{run.explanation}</p>}</div></li>
        {run.steps.map((step, at) => <li key={at}><Icon name={step.mark === "good" ? "s-ok" : step.mark === "bad" ? "s-bad" : "info"} tone={step.mark === "good" ? "ok" : step.mark === "bad" ? "bad" : "off"} /><div class="grow"><span class="break">{step.meaning}</span>{step.host && <p class="small muted mono break">{step.host}</p>}{step.lines.length > 0 && <Exact text={step.lines.join("\n")} />}</div><span class="end small muted">{step.stage}</span></li>)}
      </ul>
    </div>
  );
}
