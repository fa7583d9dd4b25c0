import { z } from "zod";

/** An address that secrets and keys travel to: https, or http on this very machine. */
export const secureUrl = z.string().max(2_000).refine(isSecureUrl, {
  error: "Give an https:// address without user and password; http:// only for this machine",
});

/** Certificates in PEM. */
export const certificateAuthorities = z.string().max(1_000_000).regex(
  /-----BEGIN CERTIFICATE-----/,
  "Give certificates in PEM",
);

function isSecureUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" &&
    /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
}
