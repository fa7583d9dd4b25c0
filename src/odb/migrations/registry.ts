import { initial } from "./0001-initial.ts";
import type { Migration } from "./migration.ts";

/** In order, without gaps, from version 1. */
export const migrations: readonly Migration[] = [initial];

export const latestVersion = migrations.length;
