// Why mail is on hold, in the panel's language: the server gives a code and facts. What an admin wrote is told as it is.
import type { Hold } from "../generated/api";
import { t } from "./words";

export function holdWords(hold: Hold | null): string {
  const facts = { count: hold?.count ?? 0, limit: hold?.limit ?? 0 };
  switch (hold?.code) {
    case "admin": case "account": return hold.text || t("hold.admin");
    case "burst": return t("hold.burst", facts);
    case "new_network": return t("hold.new-network", { ...facts, network: hold.text });
    case "bounces": return t("hold.bounces", facts);
    default: return hold?.text ?? "";
  }
}
