import { randomBytes } from "node:crypto";
import type { ServiceRequest } from "./call.ts";

/** W3C Trace Context, version 00; later versions begin with the same four parts. */
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})/;

type Traced = Pick<ServiceRequest, "traceparent">;

interface Trace {
  readonly id: string;
  readonly flags: string;
}

/** A request that came without a trace gets one; all that it causes belongs to the same. */
const traces = new WeakMap<Traced, Trace>();

/**
 * The `traceparent` for one call to another system: the trace of the request, or a new one, and a
 * span id of its own.
 */
export function createTraceparent(request: Traced): string {
  let trace = traces.get(request);
  if (trace === undefined) {
    trace = readTrace(request.traceparent);
    traces.set(request, trace);
  }
  return `00-${trace.id}-${randomBytes(8).toString("hex")}-${trace.flags}`;
}

function readTrace(traceparent: string | undefined): Trace {
  const [, id, flags] = pattern.exec(traceparent ?? "") ?? [];
  if (id !== undefined && flags !== undefined) return { id, flags };
  return { id: randomBytes(16).toString("hex"), flags: "00" };
}
