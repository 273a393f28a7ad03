// The step "second factor" of the set-up: the key for an app, the first code, then the recovery codes. It can be left for later.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, post, put } from "../api";
import type { NewSecondFactor, RecoveryCodes, SetUp } from "../../generated/api";
import { get } from "../api";
import { Copy, Field } from "../forms";
import { Card, Failure, Icon, Loading } from "../parts";
import { t } from "../words";
import { Key, RecoveryCodeList } from "./second_factor";
import { Title } from "./setup";
import type { StepProps } from "./setup_steps";

export function FactorStep({ setUp, set, next }: StepProps): JSX.Element {
  const isOn = setUp.steps?.find((one) => one.name === "factor")?.done ?? false;
  const [isAgain, setAgain] = useState(false);
  if (isOn && !isAgain) {
    return (
      <div class="stack loose">
        <Title title={t("setup.factor.title")}>{t("factor.about")}</Title>
        <Card label={t("setup.factor")}><p class="pad"><Icon name="s-ok" tone="ok" /> {t("factor.on")}</p></Card>
        <div class="line wizard-foot"><button type="button" class="btn primary" onClick={next}>{t("setup.next")}</button><button type="button" class="btn" onClick={() => setAgain(true)}>{t("setup.factor.again")}</button></div>
      </div>
    );
  }
  return <NewFactor set={set} next={next} />;
}

function NewFactor({ set, next }: Pick<StepProps, "set" | "next">): JSX.Element {
  const [key, setKey] = useState<NewSecondFactor>();
  const [codes, setCodes] = useState<readonly string[]>();
  const [code, setCode] = useState("");
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const isWrong = error instanceof ApiError && error.status === 403;
  useEffect(() => {
    post<NewSecondFactor>(["setup", "factor"]).then(setKey, setError);
  }, []);
  const confirm = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    put<RecoveryCodes>(["setup", "factor"], { code }).then((made) => setCodes(made.recovery_codes), setError).finally(() => setBusy(false));
  };
  const goOn = (): void => void get<SetUp>(["setup"]).then((now) => { set(now); next(); }, setError);
  if (codes) {
    return (
      <div class="stack loose">
        <Title title={t("factor.recovery")}>{t("factor.recovery.about")}</Title>
        <Card label={t("factor.recovery")}><div class="pad stack"><RecoveryCodeList codes={codes} /><div><Copy text={codes.join("\n")} label={t("copy")} /></div></div></Card>
        {error !== undefined && <Failure error={error} />}
        <div class="line wizard-foot"><button type="button" class="btn primary" onClick={goOn}>{t("setup.next")}</button></div>
      </div>
    );
  }
  return (
    <form class="stack loose" onSubmit={confirm}>
      <Title title={t("setup.factor.title")}>{t("setup.factor.about")}</Title>
      <Card label={t("setup.factor")}><div class="pad stack">
        {key ? <><Key made={key} />
          <Field label={t("factor.code")} name="code" autocomplete="one-time-code" value={code} onInput={setCode} required hint={t("setup.factor.hint")} {...(isWrong ? { error: t("setup.factor.wrong") } : {})} /></>
          : error === undefined && <Loading />}
        {error !== undefined && !isWrong && <Failure error={error} />}
      </div></Card>
      <div class="line wizard-foot"><button class="btn primary" disabled={isBusy || !key}>{isBusy ? t("checking") : t("factor.switch-on")}</button><button type="button" class="btn" disabled={isBusy} onClick={next}>{t("setup.skip")}</button></div>
    </form>
  );
}
