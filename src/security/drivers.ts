import type { SecurityDriver } from "./authenticator.ts";

/**
 * What checks the security definitions of a kind; each is loaded when the first object of its kind
 * comes. Checks are made in this order, the cheapest first; challenges are offered in the reverse,
 * what clients know best first.
 */
export const securityDrivers: ReadonlyMap<string, () => Promise<SecurityDriver>> = new Map([
  ["ApiKey", () => import("./api-key-driver.ts").then(({ driver }) => driver)],
  [
    "ClientCertificate",
    () => import("./client-certificate/driver.ts").then(({ driver }) => driver),
  ],
  ["Jwt", () => import("./jwt/driver.ts").then(({ driver }) => driver)],
  ["WsSecurity", () => import("./ws-security/driver.ts").then(({ driver }) => driver)],
  ["BasicAuth", () => import("./basic-auth-driver.ts").then(({ driver }) => driver)],
]);
