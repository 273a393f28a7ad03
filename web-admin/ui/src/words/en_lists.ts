// The panel in English: lists and searches. See words.ts.
export const lists = {
  "searching": "Looked back to {time} so far …",
  "sort": "Sorted by",
  "sort.address": "By address",
  "sort.created": "Newest first",
  "sort.filled": "Fullest first",
  "sort.sent": "Most sent today",
  "sort.used": "By storage used",
};
