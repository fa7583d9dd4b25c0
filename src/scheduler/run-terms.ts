import type { RunTerms } from "../odb/job-types.ts";
import type { JobSpec } from "./kinds/job.ts";

/** What runs of a job carry with them. */
export function runTerms(spec: JobSpec): RunTerms {
  return {
    service: spec.service,
    // As the command line does for services: objects whose fields are all optional take it.
    input: spec.input === undefined ? {} : spec.input,
    overlap: spec.overlap,
    missed: spec.missed,
    graceMs: spec.graceMs,
    timeoutMs: spec.timeoutMs,
    attemptsMax: spec.attemptsMax,
    retryMs: spec.retryMs,
    retryLost: spec.retryLost,
  };
}
