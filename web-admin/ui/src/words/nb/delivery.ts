// What others see of the server, and dry runs; in Norwegian Bokmål. See words.ts.
export const words = {
  "delivery.about": "Hva andre servere ser når e-post kommer herfra: adresser, navn, blokkeringslister, sertifikater.",
  "delivery.busy": "DNS, blokkeringslistene og våre egne porter blir spurt. Det tar opptil 15 sekunder.",
  "delivery.never.about": "Kontrollen spør DNS, blokkeringslister og denne serverens egne porter. Den sender ingen e-post.",
  "delivery.port-25": "Test port 25",
  "delivery.port-25.about": "Kobler til e-postservere hos store leverandører, og legger på.",
  "delivery.title": "Kommer e-posten vår fram?",
  "dry-run": "Ville e-post til denne adressen komme fram?",
  "dry-run.about": "Går hele veien til den andre serveren og spør etter mottakeren. Ingenting sendes.",
  "dry-run.begin": "Prøv",
  "setup.smarthost.fails": "Smarthosten tar ikke e-post herfra",
  "setup.smarthost.works": "Smarthosten tar e-post herfra",
  "verdict.deliverable": "E-post til denne adressen ville bli tatt imot",
  "verdict.refused": "E-post til denne adressen ville komme tilbake",
  "verdict.running": "Underveis …",
  "verdict.unavailable": "E-post til denne adressen ville vente og prøves igjen",
};
