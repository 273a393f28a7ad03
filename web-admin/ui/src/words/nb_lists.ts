// The panel in Norwegian Bokmål: lists and searches. See words.ts.
import type { lists as english } from "./en_lists";

export const lists: Record<keyof typeof english, string> = {
  "searching": "Har lett tilbake til {time} så langt …",
  "sort": "Sortert etter",
  "sort.address": "Adresse",
  "sort.created": "Nyeste først",
  "sort.filled": "Andel av grensen",
  "sort.sent": "Sendt i dag",
  "sort.used": "Brukt plass",
};
