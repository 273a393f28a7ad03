// The panel in German: lists and searches. See words.ts.
import type { lists as english } from "./en_lists";

export const lists: Record<keyof typeof english, string> = {
  "searching": "Bisher zurück bis {time} gesucht …",
  "sort": "Sortiert nach",
  "sort.address": "Adresse",
  "sort.created": "Neueste zuerst",
  "sort.filled": "Anteil am Limit",
  "sort.sent": "Heute versendet",
  "sort.used": "Belegtem Speicher",
};
