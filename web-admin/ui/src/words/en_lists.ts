// The panel in English: lists and searches. See words.ts.
export const lists = {
  "searching": "Looked back to {time} so far …",
  "sort": "Sorted by",
  "sort.address": "Address",
  "sort.created": "Newest first",
  "sort.filled": "Share of the limit",
  "sort.sent": "Sent today",
  "sort.used": "Storage used",
};
