// The panel in Norwegian Bokmål: lists and searches. See words.ts.
import type { lists as english } from "./en_lists";

export const lists: Record<keyof typeof english, string> = {
  "searching": "Har lett tilbake til {time} så langt …",
  "sort": "Sortert etter",
  "sort.address": "Etter adresse",
  "sort.created": "Nyeste først",
  "sort.filled": "Fulleste først",
  "sort.sent": "Mest sendt i dag",
  "sort.used": "Etter brukt plass",
};
