// Why mail is on hold, in Norwegian.
export const words = {
  "hold.admin": "Av en administrator",
  "hold.bounces": "{count} av {limit} kopier sendt den dagen kunne ikke leveres",
  "hold.burst": "{count} kopier på ti minutter; opptil {limit} er vanlig",
  "hold.new-network": "{count} kopier på ti minutter fra {network}, et nett som aldri er brukt før; opptil {limit} er vanlig",
};
