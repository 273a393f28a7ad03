// What others see of the server, and dry runs; in German. See words.ts.
export const words = {
  "delivery.about": "Was andere Server sehen, wenn Mail von hier kommt: Adressen, Namen, Sperrlisten, Zertifikate.",
  "delivery.busy": "DNS, Sperrlisten und die eigenen Ports werden gefragt. Das dauert bis zu 15 Sekunden.",
  "delivery.never.about": "Die Prüfung fragt DNS, Sperrlisten und die eigenen Ports dieses Servers. Sie sendet keine Mail.",
  "delivery.port-25": "Port 25 prüfen",
  "delivery.port-25.about": "Verbindet sich mit Mailservern großer Anbieter und legt auf.",
  "delivery.title": "Kommt unsere Mail an?",
  "dry-run": "Käme Mail an diese Adresse an?",
  "dry-run.about": "Geht den ganzen Weg zum anderen Server und fragt nach dem Empfänger. Nichts wird gesendet.",
  "dry-run.begin": "Versuchen",
  "setup.smarthost.fails": "Der Smarthost nimmt von hier keine Mail",
  "setup.smarthost.works": "Der Smarthost nimmt Mail von hier",
  "verdict.deliverable": "Mail an diese Adresse würde angenommen",
  "verdict.refused": "Mail an diese Adresse käme zurück",
  "verdict.running": "Unterwegs …",
  "verdict.unavailable": "Mail an diese Adresse würde warten und wieder versucht",
};
