// Why mail is on hold, in German.
export const words = {
  "hold.admin": "Durch einen Administrator",
  "hold.bounces": "{count} von {limit} an diesem Tag gesendeten Kopien waren unzustellbar",
  "hold.burst": "{count} Kopien innerhalb von zehn Minuten; üblich sind bis zu {limit}",
  "hold.new-network": "{count} Kopien innerhalb von zehn Minuten aus {network}, einem noch nie benutzten Netz; üblich sind bis zu {limit}",
};
