// The theme the reader chose, before the first paint; without a choice the system's.
export {};
try {
  const saved = localStorage.getItem("posthus-theme");
  if (saved === "light" || saved === "dark") document.documentElement.dataset["theme"] = saved;
} catch {
  // WHY: storage may be switched off; the system's theme holds then.
}
