// The words of alerts. {s} is the subject, {1} and {2} are the facts (store/alert_records.h says which).
#include "web-admin/alert_words.h"

#include <array>
#include <string_view>

#include "core/base/shared_addresses.h"
#include "core/mail/date_time.h"
#include "store/hold_reason.h"

namespace posthus::web_admin {
namespace {

struct Words {
  std::string_view title, what, action, over;
};
// In the order of AlertKind, then what has words of its own for some facts. kUnusableFile is of kCertificate: the subject is the
// file, the facts are "" and why.
enum : std::size_t {
  kManyDestinations = static_cast<std::size_t>(store::AlertKind::kCount),
  kExpired,
  kHidingGateway,
  kUnusableFile,
  kNewRecipientLimit,
  kForwardLimit,
  kTexts
};
using Table = std::array<Words, kTexts>;

constexpr Table kEnglish{{
    {"The certificate of {s} is good only until {1}", "After that, mail programs and other servers refuse to connect by it.",
     "Look under Certificates why it was not renewed by itself, mend that and order it again, or upload a new certificate.",
     "The certificate of {s} is in order again"},
    {"Only {1} % of the disk is free",
     "{2} MiB are left where the mail is kept. When it is full, other servers are told to try again later; nothing that is held "
     "is lost.",
     "Make room: enlarge the disk, delete what is not needed, or set quotas and retention.", "The disk has room again"},
    {"{1} copies of messages wait to be sent",
     "That is more than the mark of {2}. Either other servers cannot be reached, or an account sends a great deal.",
     "Look at the queue: for which destinations, and of whom. Put an account that was misused on hold.",
     "The queue is short again"},
    {"Mail for {s} does not get through", "Mail has been waiting for {1} minutes. The last answer: {2}",
     "Often it is the other server's fault and passes by itself; delivery is tried again, and senders are told. If it lasts, "
     "look "
     "at the queue and try posthus send-test.",
     "Mail for {s} no longer waits"},
    {"Outgoing mail of {s} is on hold", "The reason: {1}",
     "Ask the owner whether he sent this mail. If so, release the account; if not, change its password first and remove the mail "
     "from the queue.",
     "The account {s} is released"},
    {"This server is on a block list: {s}", "Servers that ask this list refuse mail from this server.",
     "Find out why (often an account that was misused, or unwanted mail that is forwarded), end it, then ask on the list's web "
     "site "
     "to be taken off.",
     "This server is no longer on the block list: {s}"},
    {"Many refused sign-ins: {1} within {2} minutes",
     "Somebody seems to be guessing passwords. Addresses that try too often are slowed down by themselves.",
     "Look at the log for who tries which accounts. Weak passwords should be changed now.", "Refused sign-ins are few again"},
    {"The clock of this server is wrong by {1} seconds",
     "So say {2}; a plus means that this server's clock is ahead. Certificates, signatures and second factors fail by a wrong "
     "clock, and mail bears wrong dates.",
     "Set the clock of the machine, and let it be kept by NTP.", "The clock of this server is right again"},
    {"Many clients come from one address: {s}",
     "Unrelated accounts or servers came from it within a day, so limits and bans by address are off for it.",
     "If a proxy or load balancer is there, let it speak the PROXY protocol and name it in proxy.addresses; if it is a NAT or a "
     "webmail server that must stay, name it in proxy.shared_addresses.",
     "Clients no longer share the address {s}"},
    {"Today {s} may send no more mail to other servers",
     "Its accounts together have sent as many copies as the domain may in a day: {1}. What they send beyond that is refused for "
     "now; it works again from midnight UTC on.",
     "Find out whether one of its accounts was misused. If all is right, raise the domain's limit: posthus domain limits {s} "
     "--messages NUMBER.",
     "{s} may send to other servers again"},
    {"Mail does not get through to {1} destinations", "With so many at once the fault is probably on this side.",
     "Run the delivery check: is port 25 open outwards, does the DNS answer, is the network there?",
     "Mail gets through to most destinations again"},
    {"The certificate of {s} expired on {1}", "Mail programs and other servers that check it refuse to connect, or warn.",
     "Look under Certificates why it was not renewed by itself, mend that and order it again, or upload a new certificate.",
     "The certificate of {s} is in order again"},
    {"All clients from outside seem to come from {s}",
     "It is the gateway of this container or machine and hides who connects: limits and bans by address are off for it, and logs "
     "and traces name the gateway instead of the client.",
     "Publish ports without docker-proxy (userland-proxy: false) and give the network IPv6 of its own, use host networking or "
     "Podman with pasta, or put a proxy in front that speaks the PROXY protocol and name it in proxy.addresses.",
     "Clients come with addresses of their own again, not with {s}"},
    {"The certificate file {s} cannot be used",
     "The reason: {2}. Until it is put right, the certificate of before is served, or one of this server's own, which mail "
     "programs do not trust.",
     "Put a certificate with its chain, and the key that belongs to it, where tls.certificate and tls.key say; they are taken by "
     "themselves.",
     "The certificate file {s} is in use"},
    {"Today {s} may write to no more new recipients",
     "Its accounts together have written to as many recipients they had not written to lately as the domain may in a day: {1}. "
     "Messages to further ones are refused for now; it works again from midnight UTC on.",
     "Find out whether one of its accounts was misused. If all is right, raise the domain's limit: posthus domain limits {s} "
     "--new-recipients NUMBER.",
     "{s} may write to new recipients again"},
    {"Today {s} forwards no more mail to other servers",
     "As many copies were forwarded as may be in a day: {1}. Senders are asked to try again later, so nothing is lost yet; it "
     "works "
     "again from midnight UTC on.",
     "Look at the trace for who writes there: often it is unwanted mail, which harms the reputation of this server when it is "
     "forwarded. If all is right, raise limits.forwards_per_day, or the domain's limit.",
     "{s} forwards to other servers again"},
}};

constexpr Table kGerman{{
    {"Das Zertifikat von {s} gilt nur noch bis {1}", "Danach verweigern Mailprogramme und andere Server die Verbindung.",
     "Sehen Sie unter Zertifikate nach, warum es nicht von selbst erneuert wurde, beheben Sie das und bestellen Sie es neu, oder "
     "laden Sie ein neues Zertifikat hoch.",
     "Das Zertifikat von {s} ist wieder in Ordnung"},
    {"Nur noch {1} % des Speichers sind frei",
     "Wo die E-Mail liegt, sind {2} MiB übrig. Ist er voll, werden andere Server auf später vertröstet; was schon hier ist, "
     "geht nicht verloren.",
     "Schaffen Sie Platz: Vergrößern Sie den Speicher, löschen Sie, was nicht gebraucht wird, oder setzen Sie Kontingente und "
     "Aufbewahrungsfristen.",
     "Es ist wieder genug Speicher frei"},
    {"{1} Kopien von Nachrichten warten auf den Versand",
     "Das ist mehr als die Marke von {2}. Entweder sind andere Server nicht erreichbar, oder ein Konto sendet sehr viel.",
     "Sehen Sie in die Warteschlange: für welche Ziele, und von wem? Halten Sie ein missbrauchtes Konto an.",
     "Die Warteschlange ist wieder kurz"},
    {"E-Mail an {s} kommt nicht an", "Seit {1} Minuten wartet E-Mail. Die letzte Antwort: {2}",
     "Oft liegt es am anderen Server und vergeht von selbst; es wird weiter versucht, und die Absender erfahren davon. Dauert es "
     "an, sehen Sie in die Warteschlange und versuchen Sie posthus send-test.",
     "E-Mail an {s} wartet nicht mehr"},
    {"Ausgehende E-Mail von {s} wird zurückgehalten", "Der Grund: {1}",
     "Fragen Sie den Inhaber, ob er diese E-Mail gesendet hat. Wenn ja, geben Sie das Konto frei; wenn nicht, ändern Sie zuerst "
     "das "
     "Passwort und entfernen Sie die E-Mail aus der Warteschlange.",
     "Das Konto {s} ist freigegeben"},
    {"Dieser Server steht auf einer Sperrliste: {s}", "Server, die diese Liste befragen, weisen E-Mail von diesem Server ab.",
     "Finden Sie die Ursache (oft ein missbrauchtes Konto oder weitergeleitete unerwünschte E-Mail), beenden Sie sie, und bitten "
     "Sie "
     "dann auf der Website der Liste um Streichung.",
     "Dieser Server steht nicht mehr auf der Sperrliste: {s}"},
    {"Viele abgewiesene Anmeldungen: {1} in {2} Minuten",
     "Jemand scheint Passwörter zu erraten. Adressen, die es zu oft versuchen, werden von selbst gebremst.",
     "Sehen Sie im Protokoll nach, wer es bei welchen Konten versucht. Schwache Passwörter sollten jetzt geändert werden.",
     "Es gibt nur noch wenige abgewiesene Anmeldungen"},
    {"Die Uhr dieses Servers geht um {1} Sekunden falsch",
     "Das sagen {2}; ein Plus heißt, dass die Uhr dieses Servers vorgeht. Mit falscher Uhr versagen Zertifikate, Signaturen und "
     "zweite Faktoren, und E-Mail trägt falsche Daten.",
     "Stellen Sie die Uhr des Rechners, und lassen Sie sie durch NTP führen.", "Die Uhr dieses Servers geht wieder richtig"},
    {"Viele Clients kommen von einer Adresse: {s}",
     "Voneinander unabhängige Konten oder Server kamen innerhalb eines Tages von dort; Grenzen und Sperren nach Adresse gelten "
     "für sie nicht.",
     "Steht dort ein Proxy oder Lastverteiler, lassen Sie ihn das PROXY-Protokoll sprechen und nennen Sie ihn in "
     "proxy.addresses; ist es ein NAT oder ein Webmail-Server, der bleiben muss, nennen Sie ihn in proxy.shared_addresses.",
     "Die Adresse {s} wird nicht mehr von vielen Clients benutzt"},
    {"Heute darf {s} keine E-Mail mehr an andere Server senden",
     "Die Konten haben zusammen so viele Kopien gesendet, wie die Domain am Tag darf: {1}. Was sie darüber hinaus senden, wird "
     "vorerst abgewiesen; ab Mitternacht UTC geht es wieder.",
     "Finden Sie heraus, ob eines der Konten missbraucht wurde. Hat alles seine Richtigkeit, erhöhen Sie die Grenze der Domain: "
     "posthus domain limits {s} --messages ZAHL.",
     "{s} darf wieder an andere Server senden"},
    {"E-Mail kommt bei {1} Zielen nicht an", "Bei so vielen auf einmal liegt der Fehler wahrscheinlich auf dieser Seite.",
     "Führen Sie die Zustellprüfung aus: Ist Port 25 nach außen offen, antwortet das DNS, ist das Netz da?",
     "E-Mail kommt bei den meisten Zielen wieder an"},
    {"Das Zertifikat von {s} ist am {1} abgelaufen",
     "Mailprogramme und andere Server, die es prüfen, verweigern die Verbindung oder warnen.",
     "Sehen Sie unter Zertifikate nach, warum es nicht von selbst erneuert wurde, beheben Sie das und bestellen Sie es neu, oder "
     "laden Sie ein neues Zertifikat hoch.",
     "Das Zertifikat von {s} ist wieder in Ordnung"},
    {"Alle Clients von außen scheinen von {s} zu kommen",
     "Das ist das Gateway dieses Containers oder Rechners; es verbirgt, wer sich verbindet: Grenzen und Sperren nach Adresse "
     "gelten für es nicht, und Protokoll und Verläufe nennen das Gateway statt des Clients.",
     "Veröffentlichen Sie die Ports ohne docker-proxy (userland-proxy: false) und geben Sie dem Netz eigenes IPv6, benutzen Sie "
     "das Netz des Hosts oder Podman mit pasta, oder stellen Sie einen Proxy davor, der das PROXY-Protokoll spricht, und nennen "
     "Sie ihn in proxy.addresses.",
     "Clients kommen wieder mit eigenen Adressen statt mit {s}"},
    {"Die Zertifikatsdatei {s} ist nicht zu gebrauchen",
     "Der Grund: {2}. Bis das behoben ist, gilt das vorige Zertifikat oder ein selbst ausgestelltes, dem Mailprogramme nicht "
     "trauen.",
     "Legen Sie ein Zertifikat mit seiner Kette und den Schlüssel dazu dorthin, wo tls.certificate und tls.key es sagen; beide "
     "werden von selbst übernommen.",
     "Die Zertifikatsdatei {s} wird benutzt"},
    {"Heute darf {s} keinen weiteren neuen Empfängern schreiben",
     "Die Konten haben zusammen so vielen Empfängern geschrieben, denen sie in letzter Zeit nicht geschrieben hatten, wie die "
     "Domain am Tag darf: {1}. E-Mail an weitere wird vorerst abgewiesen; ab Mitternacht UTC geht es wieder.",
     "Finden Sie heraus, ob eines der Konten missbraucht wurde. Hat alles seine Richtigkeit, erhöhen Sie die Grenze der Domain: "
     "posthus domain limits {s} --new-recipients ZAHL.",
     "{s} darf wieder neuen Empfängern schreiben"},
    {"Heute leitet {s} keine E-Mail mehr an andere Server weiter",
     "Es wurden so viele Kopien weitergeleitet, wie es am Tag sein dürfen: {1}. Absender werden gebeten, es später wieder zu "
     "versuchen, also ist noch nichts verloren; ab Mitternacht UTC geht es wieder.",
     "Sehen Sie im Verlauf nach, wer dorthin schreibt: Oft ist es unerwünschte E-Mail, deren Weiterleitung dem Ruf dieses "
     "Servers "
     "schadet. Hat alles seine Richtigkeit, erhöhen Sie limits.forwards_per_day oder die Grenze der Domain.",
     "{s} leitet wieder an andere Server weiter"},
}};

constexpr Table kNorwegian{{
    {"Sertifikatet for {s} gjelder bare til {1}", "Etter det nekter e-postprogrammer og andre tjenere å koble til.",
     "Se under Sertifikater hvorfor det ikke ble fornyet av seg selv, rett opp det og bestill på nytt, eller last opp et nytt "
     "sertifikat.",
     "Sertifikatet for {s} er i orden igjen"},
    {"Bare {1} % av disken er ledig",
     "{2} MiB er igjen der e-posten ligger. Når den er full, blir andre tjenere bedt om å prøve igjen senere; ingenting som "
     "allerede er her, går tapt.",
     "Skaff plass: gjør disken større, slett det som ikke trengs, eller sett kvoter og oppbevaringstid.",
     "Disken har plass igjen"},
    {"{1} kopier av meldinger venter på å bli sendt",
     "Det er flere enn grensen på {2}. Enten kan andre tjenere ikke nås, eller så sender en konto svært mye.",
     "Se i køen: til hvilke mål, og fra hvem? Hold tilbake en konto som er misbrukt.", "Køen er kort igjen"},
    {"E-post til {s} kommer ikke fram", "E-post har ventet i {1} minutter. Siste svar: {2}",
     "Ofte ligger feilen hos den andre tjeneren og går over av seg selv; det prøves igjen, og avsenderne får beskjed. Hvis det "
     "varer, se i køen og prøv posthus send-test.",
     "E-post til {s} venter ikke lenger"},
    {"Utgående e-post fra {s} holdes tilbake", "Grunnen: {1}",
     "Spør eieren om han har sendt denne e-posten. I så fall frigir du kontoen; hvis ikke, bytt passordet først og fjern "
     "e-posten "
     "fra køen.",
     "Kontoen {s} er frigitt"},
    {"Denne tjeneren står på en sperreliste: {s}", "Tjenere som spør denne listen, avviser e-post fra denne tjeneren.",
     "Finn årsaken (ofte en misbrukt konto eller uønsket e-post som videresendes), få slutt på den, og be så på listens nettsted "
     "om "
     "å bli fjernet.",
     "Denne tjeneren står ikke lenger på sperrelisten: {s}"},
    {"Mange avviste innlogginger: {1} på {2} minutter",
     "Noen ser ut til å gjette passord. Adresser som prøver for ofte, bremses av seg selv.",
     "Se i loggen hvem som prøver hvilke kontoer. Svake passord bør byttes nå.", "Det er få avviste innlogginger igjen"},
    {"Klokken på denne tjeneren går {1} sekunder feil",
     "Det sier {2}; pluss betyr at klokken på denne tjeneren går for fort. Sertifikater, signaturer og totrinnsinnlogging "
     "svikter "
     "når klokken er feil, og e-post får feil dato.",
     "Still klokken på maskinen, og la den holdes av NTP.", "Klokken på denne tjeneren går riktig igjen"},
    {"Mange klienter kommer fra én adresse: {s}",
     "Kontoer eller tjenere uten tilknytning til hverandre kom derfra i løpet av ett døgn; grenser og sperrer etter adresse "
     "gjelder ikke for den.",
     "Står det en proxy eller lastfordeler der, la den snakke PROXY-protokollen og nevn den i proxy.addresses; er det en NAT "
     "eller en webmail-tjener som skal bli, nevn den i proxy.shared_addresses.",
     "Adressen {s} deles ikke lenger av mange klienter"},
    {"I dag kan {s} ikke sende mer e-post til andre tjenere",
     "Kontoene har til sammen sendt så mange kopier som domenet kan per dag: {1}. Det de sender ut over det, avvises foreløpig; "
     "fra "
     "midnatt UTC går det igjen.",
     "Finn ut om en av kontoene er misbrukt. Er alt i orden, hever du grensen for domenet: posthus domain limits {s} --messages "
     "TALL.",
     "{s} kan sende til andre tjenere igjen"},
    {"E-post kommer ikke fram til {1} mål", "Når det er så mange på én gang, ligger feilen trolig på denne siden.",
     "Kjør leveringskontrollen: er port 25 åpen utover, svarer DNS, er nettet der?",
     "E-post kommer fram til de fleste mål igjen"},
    {"Sertifikatet for {s} utløp {1}",
     "E-postprogrammer og andre tjenere som kontrollerer det, nekter å koble til eller advarer.",
     "Se under Sertifikater hvorfor det ikke ble fornyet av seg selv, rett opp det og bestill på nytt, eller last opp et nytt "
     "sertifikat.",
     "Sertifikatet for {s} er i orden igjen"},
    {"Alle klienter utenfra ser ut til å komme fra {s}",
     "Det er gatewayen til denne containeren eller maskinen, og den skjuler hvem som kobler til: grenser og sperrer etter "
     "adresse gjelder ikke for den, og logg og forløp nevner gatewayen i stedet for klienten.",
     "Publiser portene uten docker-proxy (userland-proxy: false) og gi nettet egen IPv6, bruk vertens nett eller Podman med "
     "pasta, eller sett en proxy foran som snakker PROXY-protokollen, og nevn den i proxy.addresses.",
     "Klienter kommer igjen med egne adresser i stedet for med {s}"},
    {"Sertifikatfilen {s} kan ikke brukes",
     "Grunnen: {2}. Til det er rettet opp, gjelder det forrige sertifikatet eller et selvutstedt, som e-postprogrammer ikke "
     "stoler på.",
     "Legg et sertifikat med kjeden sin, og nøkkelen som hører til, der tls.certificate og tls.key sier; de tas i bruk av seg "
     "selv.",
     "Sertifikatfilen {s} er i bruk"},
    {"I dag kan {s} ikke skrive til flere nye mottakere",
     "Kontoene har til sammen skrevet til så mange mottakere de ikke har skrevet til i det siste, som domenet kan per dag: {1}. "
     "E-post til flere avvises foreløpig; fra midnatt UTC går det igjen.",
     "Finn ut om en av kontoene er misbrukt. Er alt i orden, hever du grensen for domenet: posthus domain limits {s} "
     "--new-recipients TALL.",
     "{s} kan skrive til nye mottakere igjen"},
    {"I dag videresender {s} ikke mer e-post til andre tjenere",
     "Så mange kopier er videresendt som det kan være per dag: {1}. Avsendere blir bedt om å prøve igjen senere, så ingenting er "
     "tapt ennå; fra midnatt UTC går det igjen.",
     "Se i sporingen hvem som skriver dit: Ofte er det uønsket e-post, og å videresende den skader ryktet til denne tjeneren. Er "
     "alt "
     "i orden, hever du limits.forwards_per_day eller grensen for domenet.",
     "{s} videresender til andre tjenere igjen"},
}};

constexpr AlertMailWords kEnglishMail{
    "Alert",          "Over",
    "Since:",         "Over since:",
    "What to do:",    "You are told once; when it is over you are told again. The panel shows all alerts under Alerts.",
    "This is a test", "Alerts of this server reach you at this address. There is nothing to do."};
constexpr AlertMailWords kGermanMail{
    "Warnung",
    "Vorbei",
    "Seit:",
    "Vorbei seit:",
    "Was zu tun ist:",
    "Sie erfahren es einmal; ist es vorbei, erfahren Sie es wieder. Die Oberfläche zeigt alles unter Warnungen.",
    "Dies ist ein Test",
    "Warnungen dieses Servers erreichen Sie unter dieser Adresse. Es ist nichts zu tun."};
constexpr AlertMailWords kNorwegianMail{
    "Varsel",
    "Over",
    "Siden:",
    "Over siden:",
    "Hva du gjør:",
    "Du får beskjed én gang; når det er over, får du beskjed igjen. Panelet viser alle varsler under Varsler.",
    "Dette er en prøve",
    "Varsler fra denne tjeneren når deg på denne adressen. Du trenger ikke gjøre noe."};

const Table& table_of(mail::ReportLanguage language) {
  switch (language) {
    case mail::ReportLanguage::kGerman: return kGerman;
    case mail::ReportLanguage::kNorwegian: return kNorwegian;
    case mail::ReportLanguage::kEnglish: break;
  }
  return kEnglish;
}

std::string fill(std::string_view text, const store::AlertRecord& alert) {
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find('{');
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    const char mark = text[at + 1];
    const auto number = static_cast<std::size_t>(mark - '1');
    if (mark == 's') {
      out += alert.subject;
    } else {
      out += number < alert.facts.size() ? alert.facts[number] : "?";
    }
    text.remove_prefix(at + 3);
  }
  return out;
}

// Without the moment, of a record of an older version, the day after the date.
bool is_past(const std::vector<std::string>& facts, Timestamp now) {
  constexpr std::size_t kToTheSecond = 19;
  const std::string time = mail::format_rfc3339(now);
  if (facts.size() > 1) return facts[1].substr(0, kToTheSecond) <= time.substr(0, kToTheSecond);
  return !facts.empty() && facts[0] < time.substr(0, facts[0].size());
}

// Alerts of older versions have the sentence as it was stored then.
std::string hold_words_of(const std::vector<std::string>& facts, mail::ReportLanguage language) {
  if (facts.size() != 4) return facts.empty() ? "?" : facts[0];
  const std::string stored = ":" + facts[0] + ":" + facts[1] + ":" + facts[2] + ":" + facts[3];
  return store::hold_reason_words(store::decode_hold_reason(stored), language);
}

std::size_t words_index(const store::AlertRecord& alert, Timestamp now) {
  using store::AlertKind;
  if (alert.kind == AlertKind::kDestination && alert.subject == "*") return kManyDestinations;
  const Timestamp then = alert.is_open() ? now : alert.closed;
  if (alert.kind == AlertKind::kCertificate && !alert.facts.empty() && alert.facts[0].empty()) return kUnusableFile;
  if (alert.kind == AlertKind::kCertificate && is_past(alert.facts, then)) return kExpired;
  const bool is_gateway = !alert.facts.empty() && alert.facts[0] == to_string(SharedAddressWarning::Kind::kGateway);
  if (alert.kind == AlertKind::kSharedAddress && is_gateway) return kHidingGateway;
  const std::string_view which = alert.kind == AlertKind::kLimit && alert.facts.size() > 1 ? alert.facts[1] : std::string_view();
  if (which == "new_recipients") return kNewRecipientLimit;
  if (which == "forwards") return kForwardLimit;
  return static_cast<std::size_t>(alert.kind);
}

}  // namespace

AlertWords words_of(const store::AlertRecord& alert, mail::ReportLanguage language, Timestamp now) {
  const Words& words = table_of(language)[words_index(alert, now)];
  if (alert.kind == store::AlertKind::kHold) {
    store::AlertRecord told = alert;
    told.facts = {hold_words_of(alert.facts, language)};
    return {fill(words.title, told), fill(words.what, told), fill(words.action, told), fill(words.over, told)};
  }
  return {fill(words.title, alert), fill(words.what, alert), fill(words.action, alert), fill(words.over, alert)};
}

const AlertMailWords& alert_mail_words(mail::ReportLanguage language) {
  switch (language) {
    case mail::ReportLanguage::kGerman: return kGermanMail;
    case mail::ReportLanguage::kNorwegian: return kNorwegianMail;
    case mail::ReportLanguage::kEnglish: break;
  }
  return kEnglishMail;
}

std::string_view language_tag(mail::ReportLanguage language) {
  switch (language) {
    case mail::ReportLanguage::kGerman: return "de";
    case mail::ReportLanguage::kNorwegian: return "nb";
    case mail::ReportLanguage::kEnglish: break;
  }
  return "en";
}

}  // namespace posthus::web_admin
