// What the server says of DNS records, in Norwegian Bokmål, by its English text. Loaded when something of it is shown.
// test/words_test.ts holds it and the checks of the server together.
export const sentences: Record<string, string> = {
  "Mail for the domain comes to this server.": "E-post til domenet kommer til denne serveren.",
  "Mail for the domain comes here when its own server cannot be reached.": "E-post til domenet kommer hit når domenets egen server ikke kan nås.",
  "Other servers and your mail programs find this server by it.": "Andre servere og e-postprogrammene dine finner denne serveren ved den.",
  "Many servers refuse mail from an address without a name; whoever gave you the address sets this.":
    "Mange servere avviser e-post fra en adresse uten navn; den som ga deg adressen, stiller inn dette.",
  "It says that mail of this domain comes from its mail servers.": "Den sier at e-post fra dette domenet kommer fra e-postserverne til domenet.",
  "Delivery reports have no sender; they are judged by the name of the server.": "Leveringsrapporter har ingen avsender; de vurderes etter navnet på serveren.",
  "Mail signed with this old key may still be on its way; keep it until the key is gone.":
    "E-post signert med denne gamle nøkkelen kan fortsatt være underveis; behold den til nøkkelen er borte.",
  "With it others verify the signature of your mail.": "Med den kontrollerer andre signaturen på e-posten din.",
  "It tells others what to do with mail that only pretends to be yours; large receivers demand it.":
    "Den sier hva andre skal gjøre med e-post som bare utgir seg for å være din; store mottakere krever den.",
  "It says that there is a policy: mail to you is to be encrypted.": "Den sier at det finnes en regel: E-post til deg skal være kryptert.",
  "Other servers fetch the policy for encryption from here; this server needs a certificate for that name.":
    "Andre servere henter krypteringsregelen herfra; denne serveren trenger et sertifikat for det navnet.",
  "Others report to you when encryption on the way to you fails.": "Andre melder fra til deg når krypteringen på vei til deg svikter.",
  "Thunderbird and many others find their settings by it.": "Thunderbird og mange andre finner innstillingene sine ved den.",
  "Outlook finds its settings by it.": "Outlook finner innstillingene sine ved den.",
  "Mail programs find this service by it.": "E-postprogrammer finner denne tjenesten ved den.",
  "It says that this service is not offered.": "Den sier at denne tjenesten ikke finnes her.",
  "Only of use when the zone is signed (DNSSEC): others know this server by its key; change it before the key changes.":
    "Bare til nytte når sonen er signert (DNSSEC): Andre kjenner serveren på nøkkelen; endre oppføringen før nøkkelen endres.",
  "Nobody else may issue certificates for this server.": "Ingen andre kan utstede sertifikater for denne serveren.",
  "Nobody knows where mail for the domain goes: none arrives here.": "Ingen vet hvor e-post til domenet skal: Ingenting kommer fram hit.",
  "Mail for the domain goes to another server, not to this one.": "E-post til domenet går til en annen server, ikke til denne.",
  "The domain says that it takes no mail at all (null MX).": "Domenet sier at det ikke tar imot e-post i det hele tatt (null MX).",
  "The name of this server does not lead to this address.": "Navnet på denne serveren fører ikke til denne adressen.",
  "The name of this server leads elsewhere.": "Navnet på denne serveren fører et annet sted.",
  "The address has no name: many servers refuse mail from it. Ask your provider to set it.":
    "Adressen har ikke noe navn: Mange servere avviser e-post fra den. Be leverandøren din om å sette det.",
  "Mail programs that look for this service here do not find it.": "E-postprogrammer som leter etter denne tjenesten her, finner den ikke.",
  "Nothing is said about this service; that does no harm.": "Det er ikke sagt noe om denne tjenesten; det gjør ingen skade.",
  "Mail programs that look here do not find their settings.": "E-postprogrammer som leter her, finner ikke innstillingene sine.",
  "The name leads to another server, which knows nothing of this domain.": "Navnet fører til en annen server, som ikke kjenner dette domenet.",
  "Others do not know the key of this server by the DNS.": "Andre får ikke vite nøkkelen til denne serveren fra DNS.",
  "Any authority may issue certificates for this server.": "Enhver sertifikatutsteder kan utstede sertifikater for denne serveren.",
  "Others cannot tell your mail from mail that only pretends to be yours.": "Andre kan ikke skille e-posten din fra e-post som bare utgir seg for å være din.",
  "Nobody can verify what is signed with this key.": "Ingen kan kontrollere det som er signert med denne nøkkelen.",
  "Others are not told what to do with mail that only pretends to be yours; large receivers demand that.":
    "Andre får ikke vite hva de skal gjøre med e-post som bare utgir seg for å være din; store mottakere krever det.",
  "Others do not know that mail to you is to be encrypted.": "Andre vet ikke at e-post til deg skal være kryptert.",
  "Others cannot fetch the policy, and so ignore it.": "Andre kan ikke hente regelen og ser derfor bort fra den.",
  "Nobody tells you when encryption on the way to you fails.": "Ingen sier fra til deg når krypteringen på vei til deg svikter.",
  "The DNS did not answer; try again later.": "DNS svarte ikke; prøv igjen senere.",
};
