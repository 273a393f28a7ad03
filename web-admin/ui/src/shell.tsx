// The frame around every page: navigation, language, theme, signing out.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api";
import type { DestinationPage, UserPage } from "../generated/api";
import { initials, number } from "./format";
import type { IconName } from "./icons";
import { lazy } from "./lazy";
import { type Goal, Palette } from "./palette";
import { Empty, Head, Icon, toast, useLoad } from "./parts";
import { followLinks, go, href, usePlace, type Place } from "./router";
import { signOut, type Session } from "./session";
import { languages, t, type Language, type Word } from "./words";

const AboutPage = lazy("about", () => import("./pages/about").then((m) => m.AboutPage));
const AlertsPage = lazy("alerts", () => import("./pages/alerts").then((m) => m.AlertsPage));
const AliasesPage = lazy("aliases", () => import("./pages/aliases").then((m) => m.AliasesPage));
const DeliveryPage = lazy("delivery", () => import("./pages/delivery").then((m) => m.DeliveryPage));
const DevicePage = lazy("device", () => import("./pages/device").then((m) => m.DevicePage));
const DomainPage = lazy("domains", () => import("./pages/domains").then((m) => m.DomainPage));
const DomainsPage = lazy("domains", () => import("./pages/domains").then((m) => m.DomainsPage));
const GroupsPage = lazy("groups", () => import("./pages/groups").then((m) => m.GroupsPage));
const LogsPage = lazy("logs", () => import("./pages/logs").then((m) => m.LogsPage));
const MailboxPage = lazy("mailboxes", () => import("./pages/mailboxes").then((m) => m.MailboxPage));
const MailboxesPage = lazy("mailboxes", () => import("./pages/mailboxes").then((m) => m.MailboxesPage));
const MePage = lazy("me", () => import("./pages/me").then((m) => m.MePage));
const OverviewPage = lazy("overview", () => import("./pages/overview").then((m) => m.OverviewPage));
const QueuePage = lazy("queue", () => import("./pages/queue").then((m) => m.QueuePage));
const RoutesPage = lazy("routes", () => import("./pages/routes").then((m) => m.RoutesPage));
const SecurityPage = lazy("security", () => import("./pages/security").then((m) => m.SecurityPage));
const SettingsPage = lazy("settings", () => import("./pages/settings").then((m) => m.SettingsPage));
const TracePage = lazy("trace", () => import("./pages/trace").then((m) => m.TracePage));
const TraceOfMessage = lazy("trace", () => import("./pages/trace").then((m) => m.TraceOfMessage));

interface Section { title?: Word; entries: readonly (readonly [string, Word, IconName])[] }
const ownSections: readonly Section[] = [{ entries: [["me", "me", "box"], ["me/device", "device", "phone"]] }];
const userSections: readonly Section[] = [...ownSections, { title: "mail", entries: [["trace", "trace", "route"]] }];
// Domain admins look after their domains; what is the server's they neither see nor change.
const domainSections: readonly Section[] = [
  { title: "addresses", entries: [["domains", "domains", "globe"], ["mailboxes", "mailboxes", "box"], ["aliases", "aliases", "users"], ["groups", "groups", "group"]] },
  { title: "mail", entries: [["trace", "trace", "route"], ["queue", "queue", "queue"]] },
];
const adminSections: readonly Section[] = [
  { entries: [["", "overview", "gauge"]] },
  { title: "mail", entries: [["trace", "trace", "route"], ["queue", "queue", "queue"], ["routes", "routes", "send"], ["delivery", "delivery.nav", "globe"]] },
  { title: "addresses", entries: [["domains", "domains", "globe"], ["mailboxes", "mailboxes", "box"], ["aliases", "aliases", "users"], ["groups", "groups", "group"]] },
  { title: "server", entries: [["security", "security", "shield"], ["alerts", "alerts", "s-warn"], ["logs", "logs", "log"], ["settings", "settings", "sliders"], ["about", "about", "info"]] },
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
      <button type="button" class="btn quiet icon end" aria-label={t("theme")} title={t("theme")} onClick={turn}><Icon name="moon" /></button>
    </div>
  );
}

const NoPage = (): JSX.Element => <><Head title={t("no-page")} /><Empty icon="search" title={t("no-page.about")}><a class="btn" href="/">{t("to-start")}</a></Empty></>;

function pageOf(place: Place, session: Session): JSX.Element {
  const [first = "", second] = place.segments;
  if (first === "me" && second === "device") return <DevicePage address={session.address} crumb={<a href="/me">{t("me")}</a>} />;
  if ((first === "me" && !second) || (session.role === "user" && first === "")) return <MePage />;
  const isTheirs = domainSections.some((section) => section.entries.some(([to]) => to === first));
  if (session.role === "user" && first === "trace") return adminPage(place, session, first, second);
  if (session.role === "domain_admin") return first === "" || isTheirs ? adminPage(place, session, first || "domains", second) : <NoPage />;
  return session.role === "server_admin" ? adminPage(place, session, first, second) : <NoPage />;
}

// The first segments are those of kSections in web-admin/panel.cc; a test holds the two together.
function adminPage(place: Place, session: Session, first: string, second: string | undefined): JSX.Element {
  switch (first) {
    case "": return <OverviewPage />;
    case "routes": return <RoutesPage place={place} />;
    case "trace": return second ? <TraceOfMessage id={second} /> : <TracePage place={place} />;
    case "queue": return <QueuePage place={place} />;
    case "domains": return second ? <DomainPage name={second} tab={place.segments[2] ?? ""} /> : <DomainsPage place={place} />;
    case "delivery": return <DeliveryPage place={place} />;
    case "mailboxes":
      if (second && place.segments[2] === "device") return <DevicePage address={second} crumb={<a href={href(["mailboxes", second])}>{second}</a>} />;
      return second ? <MailboxPage address={second} self={session.address} /> : <MailboxesPage place={place} />;
    case "aliases": return <AliasesPage place={place} />;
    case "groups": return <GroupsPage place={place} />;
    case "security": return <SecurityPage place={place} />;
    case "alerts": return <AlertsPage place={place} />;
    case "logs": return <LogsPage place={place} />;
    case "settings": return <SettingsPage place={place} />;
    case "about": return <AboutPage />;
    default: return <NoPage />;
  }
}

const goalsOf = (): Goal[] => [...adminSections, ...ownSections].flatMap((section) => section.entries.map(([to, word, icon]): Goal => ({ icon, name: t(word), to: `/${to}` })));

/** What stands behind entries of the navigation: mail that waits, accounts on hold. */
function useCounts(isAdmin: boolean): Readonly<Record<string, JSX.Element | undefined>> {
  const loaded = useLoad(`counts ${isAdmin}`, async (signal) => {
    if (!isAdmin) return undefined;
    const [queue, held] = await Promise.all([get<DestinationPage>(["queue", "destinations"], { limit: 1 }, signal), get<UserPage>(["users"], { state: "held", limit: 100 }, signal)]);
    return { waiting: queue.recipients_waiting, held: held.items.length, isMoreHeld: held.next !== null };
  }, 30).value;
  if (!loaded) return {};
  return {
    queue: loaded.waiting ? <span class="count">{number(loaded.waiting)}<span class="sr"> {t("waiting")}</span></span> : undefined,
    security: loaded.held ? <span class="count warn">{number(loaded.held)}{loaded.isMoreHeld && "+"}<span class="sr"> {t("on-hold")}</span></span> : undefined,
  };
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
  const isAdmin = props.session.role === "server_admin";
  const sections = isAdmin ? adminSections : props.session.role === "domain_admin" ? [...domainSections, ...ownSections] : userSections;
  const start = isAdmin ? "" : props.session.role === "domain_admin" ? "domains" : "me";
  const here = path === "me/device" ? path : place.segments[0] ?? start;
  const counts = useCounts(isAdmin);
  const [isFinding, setFinding] = useState(false);
  useEffect(() => {
    if (!isAdmin) return undefined;
    const pressed = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) setFinding(true);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [isAdmin]);
  const leave = (): void => void signOut().then(() => { go("/", "replace"); props.signedOut(); }, () => toast(t("error.unreachable")));
  return (
    <div onClick={followLinks}>
      <a class="skip" href="#main">{t("skip")}</a>
      <div class="app">
        <header class="topbar">
          <a class="brand" href="/"><Icon name="logo" />Posthus</a>
          {isAdmin && <button type="button" class="btn quiet icon" aria-label={t("find")} onClick={() => setFinding(true)}><Icon name="search" /></button>}
          <button type="button" class="btn quiet icon" popovertarget="nav" aria-label={t("menu")}><Icon name="menu" /></button>
        </header>
        <nav class="nav" id="nav" popover="auto" aria-label={t("navigation")} ref={nav}>
          <a class="brand" href="/"><Icon name="logo" />Posthus</a>
          {isAdmin && <button type="button" class="jump" onClick={() => setFinding(true)}><Icon name="search" />{t("find")}<span class="kbd">Ctrl K</span></button>}
          {sections.map((section) => (
            <div key={section.title ?? ""}>
              {section.title && <h2 id={`nav-${String(section.title)}`}>{t(section.title)}</h2>}
              <ul {...(section.title ? { "aria-labelledby": `nav-${String(section.title)}` } : {})}>
                {section.entries.map(([to, word, icon]) => (
                  <li key={to}><a href={`/${to}`} {...(to === here ? { "aria-current": "page" as const } : {})}><Icon name={icon} />{t(word)}{counts[to]}</a></li>
                ))}
              </ul>
            </div>
          ))}
          <div class="foot stack tight">
            <a class="who" href="/me"><span class="avatar" aria-hidden="true">{initials(props.session.address)}</span><span class="small"><b>{props.session.address}</b><br /><span class="muted">{t(props.session.role)}</span></span></a>
            <LanguageAndTheme language={props.language} setLanguage={props.setLanguage} />
            <button type="button" class="btn quiet s" onClick={leave}><Icon name="out" />{t("sign-out")}</button>
          </div>
        </nav>
        <main class="main" id="main" tabIndex={-1} ref={main}><div class="page">{pageOf(place, props.session)}</div></main>
      </div>
      {isFinding && <Palette pages={goalsOf()} close={() => setFinding(false)} />}
    </div>
  );
}
