// The panel in German: lists and searches. See words.ts.
import type { lists as english } from "./en_lists";

export const lists: Record<keyof typeof english, string> = {
  "searching": "Bisher zurück bis {time} gesucht …",
  "sort": "Sortiert nach",
  "sort.address": "Nach Adresse",
  "sort.created": "Neueste zuerst",
  "sort.filled": "Vollste zuerst",
  "sort.sent": "Heute am meisten versendet",
  "sort.used": "Nach belegtem Speicher",
};
