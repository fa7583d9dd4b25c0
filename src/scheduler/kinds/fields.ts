import { z } from "zod";
import { isZone } from "../schedule/zone.ts";

/** A time zone that exists; default UTC. */
export const timeZone = z.string().refine(isZone, {
  error: ({ input }) =>
    `There is no time zone "${input}"; write UTC, or a name such as Europe/Vienna`,
}).default("UTC");

/** A time with its distance from UTC. */
export const instant = z.iso.datetime({
  offset: true,
  error: ({ input }) =>
    `"${input}" is no time that exists; write it with its distance from UTC, such as ` +
    "2026-12-24T18:00:00+01:00 or 2026-12-24T17:00:00Z",
});
