// Why mail is on hold.
export const words = {
  "hold.admin": "By an administrator",
  "hold.bounces": "{count} of {limit} copies sent that day could not be delivered",
  "hold.burst": "{count} copies within ten minutes; up to {limit} are usual",
  "hold.new-network": "{count} copies within ten minutes from {network}, a network never used before; up to {limit} are usual",
};
