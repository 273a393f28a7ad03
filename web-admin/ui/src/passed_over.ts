// Names of domains for which no certificate is ordered by itself, in words.
import type { CertificatePage } from "../generated/api";
import { t } from "./words";

export type PassedOver = CertificatePage["passed_over"][number];
/** Why nothing is ordered for a name, and what to do. */
export const passedOver = ({ kind, facts }: PassedOver): string => t(`passed.${kind}`, { there: facts[0] ?? "", here: facts[1] ?? "" });
