import type { Agent } from "node:https";
import type { z } from "zod";
import { PlatformError } from "../errors/platform-error.ts";
import { parseJson } from "./body.ts";
import {
  type Answer,
  BrokenConnection,
  explain,
  type Outgoing,
  send,
  type Target,
} from "./client-request.ts";
import { fromProblem } from "./problem.ts";

/** How connections are made: a client has one of each. */
export interface Agents {
  /** Keeps connections for the next call. */
  readonly kept: Agent;
  /** Makes a new connection for every call. */
  readonly single: Agent;
}

export interface Call<T> extends Outgoing {
  readonly schema?: z.ZodType<T>;
}

/** One call with its whole answer. Throws what `JsonClient` says. */
export async function exchange<T>(target: Target, agents: Agents, call: Call<T>): Promise<T> {
  const answer = await attempt(target, agents, call);
  const operation = `${call.method} ${call.path}`;
  const badAnswer = (reason: string, cause?: unknown) => {
    const params = { address: target.origin, operation, reason };
    return new PlatformError("MTLS_BAD_ANSWER", params, { cause });
  };
  const { status, body } = answer;
  if (body === undefined) throw badAnswer("the answer is too large");
  let value: unknown;
  try {
    value = body.length === 0 ? undefined : parseJson(body);
  } catch (error) {
    throw badAnswer(`status ${status} with a body that is not JSON`, error);
  }
  if (status < 200 || status > 299) {
    throw fromProblem(value) ?? badAnswer(`status ${status} without problem details`);
  }
  if (call.schema === undefined) return value as T; // the caller vouches for it, see CallOptions
  const checked = call.schema.safeParse(value);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map((issue) =>
    `${issue.path.map(String).join(".")}: ${issue.message}`
  );
  throw badAnswer(issues.join("; "), checked.error);
}

/**
 * A kept connection may have been ended by the server a moment ago, so a call that broke on one is
 * made once more on a new one. A POST never takes a kept connection: the runtime itself sends a
 * request again when one breaks, and a POST must not be executed twice.
 */
async function attempt<T>(target: Target, agents: Agents, call: Call<T>): Promise<Answer> {
  const startedAt = performance.now();
  try {
    return await send(target, call, call.method === "POST" ? agents.single : agents.kept);
  } catch (error) {
    if (!(error instanceof BrokenConnection)) throw error;
    if (!error.wasKept) throw await explain(error.cause, target);
  }
  const leftMs = Math.max(1, call.timeoutMs - (performance.now() - startedAt));
  try {
    return await send(target, { ...call, timeoutMs: leftMs }, agents.single);
  } catch (error) {
    throw error instanceof BrokenConnection ? await explain(error.cause, target) : error;
  }
}
