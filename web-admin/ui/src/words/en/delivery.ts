// What others see of the server, and dry runs; in English. See words.ts.
export const words = {
  "delivery.about": "What other servers see when mail comes from here: addresses, names, block lists, certificates.",
  "delivery.busy": "The DNS, the block lists and our own ports are asked. This takes up to 15 seconds.",
  "delivery.never.about": "The check asks the DNS, block lists and this server's own ports. It sends no mail.",
  "delivery.port-25": "Test port 25",
  "delivery.port-25.about": "Connects to mail servers of large providers, and hangs up.",
  "delivery.title": "Does our mail arrive?",
  "dry-run": "Would mail to this address arrive?",
  "dry-run.about": "Goes all the way to the other server and asks for the recipient. Nothing is sent.",
  "dry-run.begin": "Try it",
  "setup.smarthost.fails": "The smarthost does not take mail from here",
  "setup.smarthost.works": "The smarthost takes mail from here",
  "verdict.deliverable": "Mail to this address would be taken",
  "verdict.refused": "Mail to this address would come back",
  "verdict.running": "On its way …",
  "verdict.unavailable": "Mail to this address would wait and be tried again",
};
