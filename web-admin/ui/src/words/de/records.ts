// What the server says of DNS records, in German, by its English text. Loaded when something of it is shown.
// test/words_test.ts holds it and the checks of the server together.
export const sentences: Record<string, string> = {
  "Mail for the domain comes to this server.": "Mail für die Domain kommt zu diesem Server.",
  "Mail for the domain comes here when its own server cannot be reached.": "Mail für die Domain kommt hierher, wenn ihr eigener Server nicht zu erreichen ist.",
  "Other servers and your mail programs find this server by it.": "Andere Server und Ihre Mailprogramme finden diesen Server dadurch.",
  "Many servers refuse mail from an address without a name; whoever gave you the address sets this.":
    "Viele Server lehnen Mail von einer Adresse ohne Namen ab; das stellt ein, wer Ihnen die Adresse gegeben hat.",
  "It says that mail of this domain comes from its mail servers.": "Er sagt, dass Mail dieser Domain von ihren Mailservern kommt.",
  "Delivery reports have no sender; they are judged by the name of the server.": "Zustellberichte haben keinen Absender; sie werden nach dem Namen des Servers beurteilt.",
  "Mail signed with this old key may still be on its way; keep it until the key is gone.":
    "Mit diesem alten Schlüssel signierte Mail kann noch unterwegs sein; behalten Sie ihn, bis der Schlüssel verschwindet.",
  "With it others verify the signature of your mail.": "Damit prüfen andere die Signatur Ihrer Mail.",
  "It tells others what to do with mail that only pretends to be yours; large receivers demand it.":
    "Er sagt anderen, was mit Mail geschehen soll, die nur vorgibt, von Ihnen zu sein; große Empfänger verlangen ihn.",
  "It says that there is a policy: mail to you is to be encrypted.": "Er sagt, dass es eine Regel gibt: Mail an Sie soll verschlüsselt sein.",
  "Other servers fetch the policy for encryption from here; this server needs a certificate for that name.":
    "Andere Server holen hier die Regel zur Verschlüsselung; dieser Server braucht ein Zertifikat für den Namen.",
  "Others report to you when encryption on the way to you fails.": "Andere berichten Ihnen, wenn die Verschlüsselung auf dem Weg zu Ihnen scheitert.",
  "Thunderbird and many others find their settings by it.": "Thunderbird und viele andere finden dadurch ihre Einstellungen.",
  "Outlook finds its settings by it.": "Outlook findet dadurch seine Einstellungen.",
  "Mail programs find this service by it.": "Mailprogramme finden diesen Dienst dadurch.",
  "It says that this service is not offered.": "Er sagt, dass es diesen Dienst hier nicht gibt.",
  "Only of use when the zone is signed (DNSSEC): others know this server by its key; change it before the key changes.":
    "Nützt nur in einer signierten Zone (DNSSEC): Andere erkennen diesen Server an seinem Schlüssel; ändern Sie ihn vor dem Schlüssel.",
  "Nobody else may issue certificates for this server.": "Niemand sonst darf Zertifikate für diesen Server ausstellen.",
  "Nobody knows where mail for the domain goes: none arrives here.": "Niemand weiß, wohin Mail für die Domain soll: Hier kommt keine an.",
  "Mail for the domain goes to another server, not to this one.": "Mail für die Domain geht an einen anderen Server, nicht an diesen.",
  "The domain says that it takes no mail at all (null MX).": "Die Domain sagt, dass sie gar keine Mail annimmt (null MX).",
  "The name of this server does not lead to this address.": "Der Name dieses Servers führt nicht zu dieser Adresse.",
  "The name of this server leads elsewhere.": "Der Name dieses Servers führt anderswohin.",
  "The address has no name: many servers refuse mail from it. Ask your provider to set it.":
    "Die Adresse hat keinen Namen: Viele Server lehnen Mail von ihr ab. Bitten Sie Ihren Anbieter, ihn einzutragen.",
  "Mail programs that look for this service here do not find it.": "Mailprogramme, die diesen Dienst hier suchen, finden ihn nicht.",
  "Nothing is said about this service; that does no harm.": "Über diesen Dienst wird nichts gesagt; das schadet nicht.",
  "Mail programs that look here do not find their settings.": "Mailprogramme, die hier nachsehen, finden ihre Einstellungen nicht.",
  "The name leads to another server, which knows nothing of this domain.": "Der Name führt zu einem anderen Server, der diese Domain nicht kennt.",
  "Others do not know the key of this server by the DNS.": "Andere erfahren den Schlüssel dieses Servers nicht aus dem DNS.",
  "Any authority may issue certificates for this server.": "Jede Zertifizierungsstelle darf Zertifikate für diesen Server ausstellen.",
  "Others cannot tell your mail from mail that only pretends to be yours.": "Andere können Ihre Mail nicht von solcher unterscheiden, die nur vorgibt, von Ihnen zu sein.",
  "Nobody can verify what is signed with this key.": "Niemand kann prüfen, was mit diesem Schlüssel signiert ist.",
  "Others are not told what to do with mail that only pretends to be yours; large receivers demand that.":
    "Andere erfahren nicht, was mit Mail geschehen soll, die nur vorgibt, von Ihnen zu sein; große Empfänger verlangen das.",
  "Others do not know that mail to you is to be encrypted.": "Andere wissen nicht, dass Mail an Sie verschlüsselt sein soll.",
  "Others cannot fetch the policy, and so ignore it.": "Andere können die Regel nicht holen und beachten sie darum nicht.",
  "Nobody tells you when encryption on the way to you fails.": "Niemand sagt Ihnen, wenn die Verschlüsselung auf dem Weg zu Ihnen scheitert.",
  "The DNS did not answer; try again later.": "Das DNS hat nicht geantwortet; versuchen Sie es später noch einmal.",
};
