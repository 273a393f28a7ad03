// The texts of delivery reports, and what status codes mean (RFC 3463 §3, RFC 7372, RFC 7505, RFC 8689; the registry of
// enhanced status codes for the rest). Thread rule: constants and pure functions.
#include "core/mail/dsn_text.h"

#include <optional>

#include "core/base/ascii.h"

namespace posthus::mail {
namespace {

// In the order of enum Reason.
constexpr std::array<ReasonText, kReasons> kEnglishReasons = {{
    {"There is no mailbox with this address at the receiving server.",
     "Look for typing mistakes in the address. If it is right, ask the recipient another way which address is in use now."},
    {"The domain of this address (the part after the @) does not exist.",
     "Look for typing mistakes in the part after the @, and send the message again to the right address."},
    {"The receiving server cannot read this address.", "Look for typing mistakes in the address and send the message again."},
    {"The recipient has moved, and the receiving server does not know the new address, or does not tell it.",
     "Ask the recipient another way for the new address."},
    {"This domain does not take any mail.",
     "Look for typing mistakes in the part after the @, or reach the recipient another way."},
    {"The receiving server does not accept your address as the sender.",
     "Ask your administrator whether your domain is set up rightly; the answer of the other server says more."},
    {"The mailbox exists, but it is closed at the moment.", "Reach the recipient another way, or try again later."},
    {"The receiving server did not take the message for this mailbox; its status code gives no particular reason.",
     "Read what the other server said. Try again later, or reach the recipient another way."},
    {"The mailbox of the recipient is full.", "Try again later, or tell the recipient another way."},
    {"The message is too large for the receiving server.",
     "Send it again with smaller attachments, or put large files where the recipient can fetch them."},
    {"The receiving server has no room left.", "Try again in a few hours. This is not a fault of your message."},
    {"The receiving server takes no mail at the moment.", "Try again in a few hours. This is not a fault of your message."},
    {"The receiving server could not be reached.",
     "Try again later. If it goes on, ask the recipient another way whether their mail works."},
    {"No way to the receiving server was found: its entries in the DNS are missing, or could not be read.",
     "Look for typing mistakes in the part after the @. If the address is right, tell the recipient about it another way."},
    {"The receiving server is busy and asks us to come back later.", "Try again later. This is not a fault of your message."},
    {"The message went round in circles between servers.",
     "Tell the recipient another way: a forwarding is probably set up in a circle."},
    {"The message could not be delivered within the time that is set for it.",
     "Send it again if it still matters, or reach the recipient another way."},
    {"The message has more recipients than the receiving server takes at once.", "Send it again to fewer recipients at a time."},
    {"The servers did not understand each other.", "Pass this report on to your administrator."},
    {"The receiving server does not accept the form of this message.",
     "Send it again as plain text or without attachments. If that does not help, pass this report on to your administrator."},
    {"The message has an address or header with letters beyond ASCII, and the receiving server cannot handle those.",
     "Use an address in plain ASCII letters, if the recipient has one, for them and for yourself."},
    {"The receiving server refuses this message by its rules, often because it takes it for unwanted mail.",
     "Read what the other server said. Ask the recipient another way to allow your address, or change the message."},
    {"You may not write to this address; some lists take messages from their members only.",
     "Ask the owner of the address for leave to write to it."},
    {"The message may only travel over a protected connection (TLS), and none could be had.",
     "Pass this report on to your administrator, or send again without asking for protection, if you may."},
    {"The receiving server could not verify that the message really comes from your domain.",
     "Pass this report on to your administrator: DKIM, SPF or DMARC of your domain need a look."},
    {"The receiving server did not accept the message.", "Read what the other server said; your administrator can help with it."},
}};

constexpr std::array<ReasonText, kReasons> kGermanReasons = {{
    {"Auf dem empfangenden Server gibt es kein Postfach mit dieser Adresse.",
     "Prüfen Sie die Adresse auf Tippfehler. Stimmt sie, fragen Sie die Person auf anderem Weg, welche Adresse jetzt gilt."},
    {"Die Domain dieser Adresse (der Teil nach dem @) gibt es nicht.",
     "Prüfen Sie den Teil nach dem @ auf Tippfehler und senden Sie die Nachricht an die richtige Adresse."},
    {"Der empfangende Server kann diese Adresse nicht lesen.",
     "Prüfen Sie die Adresse auf Tippfehler und senden Sie die Nachricht noch einmal."},
    {"Die Person hat eine neue Adresse, die der empfangende Server nicht kennt oder nicht nennt.",
     "Fragen Sie auf anderem Weg nach der neuen Adresse."},
    {"Diese Domain nimmt überhaupt keine E-Mails an.",
     "Prüfen Sie den Teil nach dem @ auf Tippfehler, oder erreichen Sie die Person auf anderem Weg."},
    {"Der empfangende Server nimmt Ihre Adresse als Absender nicht an.",
     "Fragen Sie Ihre Administration, ob Ihre Domain richtig eingerichtet ist; die Antwort des anderen Servers sagt mehr."},
    {"Das Postfach gibt es, aber es ist zurzeit geschlossen.",
     "Erreichen Sie die Person auf anderem Weg, oder versuchen Sie es später noch einmal."},
    {"Der empfangende Server hat die Nachricht für dieses Postfach nicht angenommen; sein Statuscode nennt keinen bestimmten "
     "Grund.",
     "Lesen Sie die Antwort des anderen Servers. Versuchen Sie es später noch einmal, oder erreichen Sie die Person auf anderem "
     "Weg."},
    {"Das Postfach der Empfängerin oder des Empfängers ist voll.",
     "Versuchen Sie es später noch einmal, oder sagen Sie der Person auf anderem Weg Bescheid."},
    {"Die Nachricht ist dem empfangenden Server zu groß.",
     "Senden Sie sie mit kleineren Anhängen, oder legen Sie große Dateien dort ab, wo sie abgeholt werden können."},
    {"Der empfangende Server hat keinen Platz mehr.",
     "Versuchen Sie es in einigen Stunden noch einmal. An Ihrer Nachricht liegt es nicht."},
    {"Der empfangende Server nimmt zurzeit keine E-Mails an.",
     "Versuchen Sie es in einigen Stunden noch einmal. An Ihrer Nachricht liegt es nicht."},
    {"Der empfangende Server war nicht erreichbar.",
     "Versuchen Sie es später noch einmal. Bleibt es dabei, fragen Sie die Person auf anderem Weg, ob ihre E-Mail geht."},
    {"Es fand sich kein Weg zum empfangenden Server: Seine Einträge im DNS fehlen oder waren nicht lesbar.",
     "Prüfen Sie den Teil nach dem @ auf Tippfehler. Stimmt die Adresse, sagen Sie der Person auf anderem Weg Bescheid."},
    {"Der empfangende Server ist ausgelastet und bittet, es später wieder zu versuchen.",
     "Versuchen Sie es später noch einmal. An Ihrer Nachricht liegt es nicht."},
    {"Die Nachricht lief zwischen Servern im Kreis.",
     "Sagen Sie der Person auf anderem Weg Bescheid: Wahrscheinlich führt eine Weiterleitung im Kreis."},
    {"Die Nachricht konnte in der dafür vorgesehenen Zeit nicht zugestellt werden.",
     "Senden Sie sie noch einmal, wenn sie noch wichtig ist, oder erreichen Sie die Person auf anderem Weg."},
    {"Die Nachricht hat mehr Empfänger, als der empfangende Server auf einmal annimmt.",
     "Senden Sie sie noch einmal an weniger Empfänger zugleich."},
    {"Die Server haben einander nicht verstanden.", "Geben Sie diesen Bericht an Ihre Administration weiter."},
    {"Der empfangende Server nimmt die Nachricht in dieser Form nicht an.",
     "Senden Sie sie als reinen Text oder ohne Anhänge. Hilft das nicht, geben Sie diesen Bericht an Ihre Administration "
     "weiter."},
    {"Eine Adresse oder Kopfzeile der Nachricht enthält Zeichen außerhalb von ASCII; damit kann der empfangende Server nicht "
     "umgehen.",
     "Verwenden Sie für beide Seiten Adressen aus einfachen ASCII-Zeichen, wenn es welche gibt."},
    {"Der empfangende Server lehnt die Nachricht nach seinen Regeln ab, oft weil er sie für unerwünscht hält.",
     "Lesen Sie die Antwort des anderen Servers. Bitten Sie die Person auf anderem Weg, Ihre Adresse zuzulassen, oder ändern Sie "
     "die "
     "Nachricht."},
    {"An diese Adresse dürfen Sie nicht schreiben; manche Listen nehmen nur Nachrichten ihrer Mitglieder an.",
     "Fragen Sie, wer die Adresse betreut, ob Sie an sie schreiben dürfen."},
    {"Die Nachricht darf nur über eine geschützte Verbindung (TLS) gehen, und es kam keine zustande.",
     "Geben Sie diesen Bericht an Ihre Administration weiter, oder senden Sie ohne diese Bedingung, wenn Sie das dürfen."},
    {"Der empfangende Server konnte nicht bestätigen, dass die Nachricht wirklich aus Ihrer Domain kommt.",
     "Geben Sie diesen Bericht an Ihre Administration weiter: DKIM, SPF oder DMARC Ihrer Domain sind zu prüfen."},
    {"Der empfangende Server hat die Nachricht nicht angenommen.",
     "Lesen Sie die Antwort des anderen Servers; Ihre Administration kann dabei helfen."},
}};

constexpr std::array<ReasonText, kReasons> kNorwegianReasons = {{
    {"Det finnes ingen postboks med denne adressen på mottakerens server.",
     "Se etter skrivefeil i adressen. Er den riktig, spør mottakeren på en annen måte hvilken adresse som gjelder nå."},
    {"Domenet i denne adressen (delen etter @) finnes ikke.",
     "Se etter skrivefeil i delen etter @, og send meldingen på nytt til riktig adresse."},
    {"Mottakerens server kan ikke lese denne adressen.", "Se etter skrivefeil i adressen, og send meldingen på nytt."},
    {"Mottakeren har fått ny adresse, og serveren kjenner den ikke eller oppgir den ikke.",
     "Spør mottakeren på en annen måte om den nye adressen."},
    {"Dette domenet tar ikke imot e-post.", "Se etter skrivefeil i delen etter @, eller kontakt mottakeren på en annen måte."},
    {"Mottakerens server godtar ikke adressen din som avsender.",
     "Spør administratoren din om domenet ditt er riktig satt opp; svaret fra den andre serveren sier mer."},
    {"Postboksen finnes, men er stengt for øyeblikket.", "Kontakt mottakeren på en annen måte, eller prøv igjen senere."},
    {"Mottakerens server tok ikke imot meldingen til denne postboksen, og statuskoden oppgir ingen bestemt grunn.",
     "Les hva den andre serveren svarte. Prøv igjen senere, eller kontakt mottakeren på en annen måte."},
    {"Postboksen til mottakeren er full.", "Prøv igjen senere, eller si fra til mottakeren på en annen måte."},
    {"Meldingen er for stor for mottakerens server.",
     "Send den på nytt med mindre vedlegg, eller legg store filer et sted der mottakeren kan hente dem."},
    {"Mottakerens server har ikke mer plass.", "Prøv igjen om noen timer. Det er ikke noe galt med meldingen din."},
    {"Mottakerens server tar ikke imot e-post for øyeblikket.",
     "Prøv igjen om noen timer. Det er ikke noe galt med meldingen din."},
    {"Mottakerens server kunne ikke nås.",
     "Prøv igjen senere. Vedvarer det, spør mottakeren på en annen måte om e-posten deres virker."},
    {"Vi fant ingen vei til mottakerens server: Oppføringene i DNS mangler eller kunne ikke leses.",
     "Se etter skrivefeil i delen etter @. Er adressen riktig, si fra til mottakeren på en annen måte."},
    {"Mottakerens server er opptatt og ber oss komme tilbake senere.",
     "Prøv igjen senere. Det er ikke noe galt med meldingen din."},
    {"Meldingen gikk i ring mellom servere.",
     "Si fra til mottakeren på en annen måte: Trolig er en videresending satt opp i ring."},
    {"Meldingen kunne ikke leveres innen tiden som er satt for det.",
     "Send den på nytt hvis den fortsatt er viktig, eller kontakt mottakeren på en annen måte."},
    {"Meldingen har flere mottakere enn mottakerens server tar imot på én gang.",
     "Send den på nytt til færre mottakere om gangen."},
    {"Serverne forsto ikke hverandre.", "Send denne rapporten videre til administratoren din."},
    {"Mottakerens server godtar ikke meldingen i denne formen.",
     "Send den på nytt som ren tekst eller uten vedlegg. Hjelper ikke det, send denne rapporten videre til administratoren din."},
    {"En adresse eller et felt i meldingshodet har tegn utenfor ASCII, og det kan ikke mottakerens server håndtere.",
     "Bruk adresser med bare ASCII-tegn på begge sider, om de finnes."},
    {"Mottakerens server avviser meldingen etter sine regler, ofte fordi den anses som uønsket.",
     "Les hva den andre serveren svarte. Be mottakeren på en annen måte om å slippe gjennom adressen din, eller endre "
     "meldingen."},
    {"Du har ikke lov til å skrive til denne adressen; noen lister tar bare imot meldinger fra medlemmene sine.",
     "Spør den som har ansvar for adressen, om du får skrive til den."},
    {"Meldingen kan bare sendes over en beskyttet forbindelse (TLS), og det lot seg ikke gjøre.",
     "Send denne rapporten videre til administratoren din, eller send uten dette kravet hvis du har lov til det."},
    {"Mottakerens server kunne ikke bekrefte at meldingen virkelig kommer fra domenet ditt.",
     "Send denne rapporten videre til administratoren din: DKIM, SPF eller DMARC for domenet ditt må sjekkes."},
    {"Mottakerens server godtok ikke meldingen.", "Les hva den andre serveren svarte; administratoren din kan hjelpe med det."},
}};

// subject and opening in the order of enum ReportAction: failed, delayed, delivered, relayed, expanded.
constexpr ReportText kEnglish = {
    .tag = "en",
    .from_name = "Mail delivery",
    .subject = {"Your message could not be delivered", "Your message is delayed", "Your message was delivered",
                "Your message was passed on", "Your message was passed on to a list"},
    .opening =
        {"Your message did not reach the following recipients, and it will not be tried again:",
         "Your message has not reached the following recipients yet. There is nothing you need to do: it is tried again by "
         "itself, and you are told if it cannot be delivered in the end.",
         "Your message was delivered to:",
         "Your message was passed on to the next server for the following recipients. That server sends no confirmations, so "
         "this is the last that can be said about it unless it comes back:",
         "Your message was passed on to everybody behind the following addresses:"},
    .greeting = "This is the mail server {host}, with news about a message of yours.",
    .your_subject = "Subject",
    .your_time = "Sent",
    .your_id = "Message number",
    .detail = "",
    .host_said = "The server {host} said:",
    .was_said = "The other server said:",
    .advice = "What you can do:",
    .tried_until = "It is tried until {time}.",
    .gave_up = "It was tried again and again, for as long as is set here, without success. The last time:",
    .more_recipients = "There are more recipients than this page names; all are in the second part of this report.",
    .closing_full = "The second part of this report has the details for administrators, the third is your message.",
    .closing_header =
        "The second part of this report has the details for administrators, the third is the header of your message.",
    .months = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
               "December"},
    .date = "{day} {month} {year}, {hour}:{minute} UTC",
    .reasons = kEnglishReasons,
};

constexpr ReportText kGerman = {
    .tag = "de",
    .from_name = "Mailzustellung",
    .subject = {"Ihre Nachricht konnte nicht zugestellt werden", "Ihre Nachricht verzögert sich",
                "Ihre Nachricht wurde zugestellt", "Ihre Nachricht wurde weitergegeben", "Ihre Nachricht ging an eine Liste"},
    .opening =
        {"Ihre Nachricht hat die folgenden Empfänger nicht erreicht, und es wird nicht weiter versucht:",
         "Ihre Nachricht hat die folgenden Empfänger noch nicht erreicht. Sie müssen nichts tun: Die Zustellung wird von selbst "
         "weiter versucht, und Sie erfahren es, wenn sie am Ende nicht gelingt.",
         "Ihre Nachricht wurde zugestellt an:",
         "Ihre Nachricht wurde für die folgenden Empfänger an den nächsten Server weitergegeben. Er sendet keine Bestätigungen, "
         "mehr lässt sich darum nicht sagen, es sei denn, sie kommt zurück:",
         "Ihre Nachricht ging an alle, die hinter den folgenden Adressen stehen:"},
    .greeting = "Hier ist der Mailserver {host} mit einer Mitteilung zu einer Nachricht von Ihnen.",
    .your_subject = "Betreff",
    .your_time = "Gesendet",
    .your_id = "Nachrichtennummer",
    .detail = "Einzelheit, auf Englisch:",
    .host_said = "Der Server {host} antwortete:",
    .was_said = "Der andere Server antwortete:",
    .advice = "Was Sie tun können:",
    .tried_until = "Versucht wird es bis {time}.",
    .gave_up = "Die Zustellung wurde so lange versucht, wie es hier vorgesehen ist, ohne Erfolg. Zuletzt:",
    .more_recipients = "Es sind mehr Empfänger, als diese Seite nennt; alle stehen im zweiten Teil dieses Berichts.",
    .closing_full = "Der zweite Teil dieses Berichts enthält die Einzelheiten für die Administration, der dritte Ihre Nachricht.",
    .closing_header =
        "Der zweite Teil dieses Berichts enthält die Einzelheiten für die Administration, der dritte den Kopf Ihrer Nachricht.",
    .months = {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
               "Dezember"},
    .date = "{day}. {month} {year}, {hour}:{minute} Uhr UTC",
    .reasons = kGermanReasons,
};

constexpr ReportText kNorwegian = {
    .tag = "nb",
    .from_name = "E-postlevering",
    .subject = {"Meldingen din kunne ikke leveres", "Meldingen din er forsinket", "Meldingen din er levert",
                "Meldingen din er sendt videre", "Meldingen din er sendt videre til en liste"},
    .opening = {"Meldingen din nådde ikke disse mottakerne, og det blir ikke prøvd igjen:",
                "Meldingen din har ikke nådd disse mottakerne ennå. Du trenger ikke å gjøre noe: Det blir prøvd igjen av seg "
                "selv, og du "
                "får beskjed hvis den til slutt ikke kan leveres.",
                "Meldingen din er levert til:",
                "Meldingen din er sendt videre til neste server for disse mottakerne. Den serveren sender ingen bekreftelser, så "
                "mer kan "
                "vi ikke si om meldingen med mindre den kommer tilbake:",
                "Meldingen din er sendt videre til alle bak disse adressene:"},
    .greeting = "Dette er e-postserveren {host}, med nytt om en melding fra deg.",
    .your_subject = "Emne",
    .your_time = "Sendt",
    .your_id = "Meldingsnummer",
    .detail = "Detalj, på engelsk:",
    .host_said = "Serveren {host} svarte:",
    .was_said = "Den andre serveren svarte:",
    .advice = "Dette kan du gjøre:",
    .tried_until = "Det blir prøvd til {time}.",
    .gave_up = "Leveringen ble prøvd så lenge som det er bestemt her, uten hell. Siste gang:",
    .more_recipients = "Det er flere mottakere enn denne siden nevner; alle står i rapportens andre del.",
    .closing_full = "Rapportens andre del har detaljene for administratorer, den tredje er meldingen din.",
    .closing_header = "Rapportens andre del har detaljene for administratorer, den tredje er meldingshodet ditt.",
    .months = {"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november",
               "desember"},
    .date = "{day}. {month} {year} kl. {hour}.{minute} UTC",
    .reasons = kNorwegianReasons,
};

struct StatusMeaning {
  std::string_view detail;  // subject "." detail, or subject alone for all others of it
  Reason reason;
};

constexpr StatusMeaning kMeanings[] = {
    {"1.1", Reason::kNoSuchMailbox},
    {"1.2", Reason::kNoSuchDomain},
    {"1.3", Reason::kBadAddress},
    {"1.4", Reason::kBadAddress},
    {"1.6", Reason::kMoved},
    {"1.7", Reason::kSenderRefused},
    {"1.8", Reason::kSenderRefused},
    {"1.10", Reason::kDomainTakesNoMail},
    {"1", Reason::kNoSuchMailbox},
    {"2.1", Reason::kMailboxDisabled},
    {"2.2", Reason::kMailboxFull},
    {"2.3", Reason::kTooLarge},
    {"2", Reason::kMailboxOther},
    {"3.1", Reason::kServerFull},
    {"3.2", Reason::kServerNotAccepting},
    {"3.4", Reason::kTooLarge},
    {"3", Reason::kServerNotAccepting},
    {"4.1", Reason::kUnreachable},
    {"4.2", Reason::kUnreachable},
    {"4.3", Reason::kNoRoute},
    {"4.4", Reason::kNoRoute},
    {"4.5", Reason::kBusy},
    {"4.6", Reason::kLoop},
    {"4.7", Reason::kExpired},
    {"4", Reason::kUnreachable},
    {"5.3", Reason::kTooManyRecipients},
    {"5", Reason::kProtocol},
    {"6.7", Reason::kNeedsUtf8},
    {"6.8", Reason::kNeedsUtf8},
    {"6.9", Reason::kNeedsUtf8},
    {"6.10", Reason::kNeedsUtf8},
    {"6", Reason::kContent},
    {"7.2", Reason::kNotAllowed},
    {"7.4", Reason::kTlsNeeded},
    {"7.5", Reason::kTlsNeeded},
    {"7.10", Reason::kTlsNeeded},
    {"7.11", Reason::kTlsNeeded},
    {"7.20", Reason::kNotAuthentic},
    {"7.21", Reason::kNotAuthentic},
    {"7.22", Reason::kNotAuthentic},
    {"7.23", Reason::kNotAuthentic},
    {"7.24", Reason::kNotAuthentic},
    {"7.25", Reason::kNotAuthentic},
    {"7.26", Reason::kNotAuthentic},
    {"7.27", Reason::kSenderRefused},
    {"7.30", Reason::kTlsNeeded},
    {"7", Reason::kPolicy},
};

}  // namespace

const ReportText& report_text(ReportLanguage language) {
  switch (language) {
    case ReportLanguage::kGerman: return kGerman;
    case ReportLanguage::kNorwegian: return kNorwegian;
    case ReportLanguage::kEnglish: break;
  }
  return kEnglish;
}

// status-code = class "." subject "." detail
Reason reason_of_status(std::string_view status) {
  const std::size_t subject_begin = status.find('.');
  if (subject_begin == std::string_view::npos) return Reason::kUnknown;
  const std::string_view code = status.substr(subject_begin + 1);
  const std::string_view subject = code.substr(0, code.find('.'));
  std::optional<Reason> of_subject;
  for (const auto& [detail, reason] : kMeanings) {
    if (detail == code) return reason;
    if (detail == subject) of_subject = reason;
  }
  return of_subject.value_or(Reason::kUnknown);
}

}  // namespace posthus::mail
