// The frame around every page: navigation, language, theme, signing out.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { initials } from "./format";
import type { IconName } from "./icons";
import { AboutPage } from "./pages/about";
import { AliasesPage } from "./pages/aliases";
import { DomainPage, DomainsPage } from "./pages/domains";
import { MailboxPage, MailboxesPage } from "./pages/mailboxes";
import { OverviewPage } from "./pages/overview";
import { QueuePage } from "./pages/queue";
import { SecurityPage } from "./pages/security";
import { SettingsPage } from "./pages/settings";
import { TracePage, TraceOfMessage } from "./pages/trace";
import { Empty, Head, Icon, toast } from "./parts";
import { followLinks, go, href, usePlace, type Place } from "./router";
import { signOut, type Session } from "./session";
import { languages, t, type Language, type Word } from "./words";

const sections: readonly { title?: Word; entries: readonly (readonly [string, Word, IconName])[] }[] = [
  { entries: [["", "overview", "gauge"]] },
  { title: "mail", entries: [["trace", "trace", "route"], ["queue", "queue", "queue"]] },
  { title: "addresses", entries: [["domains", "domains", "globe"], ["mailboxes", "mailboxes", "box"], ["aliases", "aliases", "users"]] },
  { title: "server", entries: [["security", "security", "shield"], ["settings", "settings", "sliders"], ["about", "about", "info"]] },
];

export function LanguageAndTheme(props: { language: Language; setLanguage: (to: Language) => void }): JSX.Element {
  const turn = (): void => {
    const root = document.documentElement;
    const isDark = root.dataset["theme"] ? root.dataset["theme"] === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset["theme"] = isDark ? "light" : "dark";
    try {
      localStorage.setItem("posthus-theme", root.dataset["theme"]);
    } catch {
      // Without storage the choice holds until the page is closed.
    }
  };
  return (
    <div class="line small">
      <select class="input" aria-label={t("language")} value={props.language} onChange={(event) => props.setLanguage(event.currentTarget.value as Language)}>
        {Object.entries(languages).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
      </select>
      <button type="button" class="btn quiet s end" onClick={turn}><Icon name="moon" />{t("theme")}</button>
    </div>
  );
}

function pageOf(place: Place): JSX.Element {
  const [first = "", second] = place.segments;
  switch (first) {
    case "": return <OverviewPage />;
    case "trace": return second ? <TraceOfMessage id={second} /> : <TracePage place={place} />;
    case "queue": return <QueuePage place={place} />;
    case "domains": return second ? <DomainPage name={second} tab={place.segments[2] ?? ""} /> : <DomainsPage place={place} />;
    case "mailboxes": return second ? <MailboxPage address={second} /> : <MailboxesPage place={place} />;
    case "aliases": return <AliasesPage place={place} />;
    case "security": return <SecurityPage place={place} />;
    case "settings": return <SettingsPage place={place} />;
    case "about": return <AboutPage />;
    default: return <><Head title={t("no-page")} /><Empty icon="search" title={t("no-page.about")}><a class="btn" href="/">{t("overview")}</a></Empty></>;
  }
}

export function Shell(props: { session: Session; language: Language; setLanguage: (to: Language) => void; signedOut: () => void }): JSX.Element {
  const place = usePlace();
  const main = useRef<HTMLElement>(null);
  const nav = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const path = place.segments.join("/");
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    nav.current?.matches(":popover-open") && nav.current.hidePopover();
    main.current?.focus();
    scrollTo(0, 0);
  }, [path]);
  const leave = (): void => void signOut().then(() => { go("/", "replace"); props.signedOut(); }, () => toast(t("error.unreachable")));
  return (
    <div onClick={followLinks}>
      <a class="skip" href="#main">{t("skip")}</a>
      <div class="app">
        <header class="topbar">
          <a class="brand" href="/"><Icon name="logo" />Posthus</a>
          <button type="button" class="btn quiet icon" popovertarget="nav" aria-label={t("menu")}><Icon name="menu" /></button>
        </header>
        <nav class="nav" id="nav" popover="auto" aria-label={t("navigation")} ref={nav}>
          <a class="brand" href="/"><Icon name="logo" />Posthus</a>
          {sections.map((section) => (
            <div key={section.title ?? ""}>
              {section.title && <h2 id={`nav-${String(section.title)}`}>{t(section.title)}</h2>}
              <ul {...(section.title ? { "aria-labelledby": `nav-${String(section.title)}` } : {})}>
                {section.entries.map(([to, word, icon]) => (
                  <li key={to}><a href={href(to ? [to] : [])} {...((place.segments[0] ?? "") === to ? { "aria-current": "page" as const } : {})}><Icon name={icon} />{t(word)}</a></li>
                ))}
              </ul>
            </div>
          ))}
          <div class="foot stack tight">
            <div class="who"><span class="avatar" aria-hidden="true">{initials(props.session.address)}</span><span class="small"><b>{props.session.address}</b><br /><span class="muted">{t(props.session.role)}</span></span></div>
            <LanguageAndTheme language={props.language} setLanguage={props.setLanguage} />
            <button type="button" class="btn quiet s" onClick={leave}><Icon name="out" />{t("sign-out")}</button>
          </div>
        </nav>
        <main class="main" id="main" tabIndex={-1} ref={main}><div class="page">{pageOf(place)}</div></main>
      </div>
    </div>
  );
}
