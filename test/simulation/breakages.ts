/**
 * Bugs that the simulation must find: a holder that trusts its clock to the last millisecond; an
 * ODB that takes the word of former leaders; a lease whose time is counted from the moment in
 * which the answer came; an ODB that gives a run to everyone who asks; a planner that writes down
 * that it planned before it has; an ODB that writes a plan down although another was written since
 * it was made; a planner that reads the configuration before the ledger, and one that begins a
 * changed job when it comes to it; a server that takes a message for the only way to learn of a
 * change.
 */
export const breakages = [
  "no-margin",
  "no-fence",
  "late-answer-revives",
  "claims-twice",
  "plans-with-gaps",
  "late-plan-overwrites",
  "jobs-before-ledger",
  "begins-late",
  "hints-only",
] as const;
export type Breakage = (typeof breakages)[number];
