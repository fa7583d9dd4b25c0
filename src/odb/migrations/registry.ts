import { initial } from "./0001-initial.ts";
import { durableWork } from "./0002-durable-work.ts";
import { leasesAndJobs } from "./0003-leases-and-jobs.ts";
import { idempotency } from "./0004-idempotency.ts";
import type { Migration } from "./migration.ts";

/** In order, without gaps, from version 1. */
export const migrations: readonly Migration[] = [
  initial,
  durableWork,
  leasesAndJobs,
  idempotency,
];

export const latestVersion = migrations.length;
