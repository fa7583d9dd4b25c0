import type { OdbLink } from "../../cluster/odb-link.ts";
import type { NewInvocation } from "../../service/durable-work.ts";
import type { RequestMessage, Requests } from "../worker/protocol.ts";
import { ClusterLocks } from "./cluster-locks.ts";
import type { Asker, RequestKeys } from "./request-keys.ts";
import type { RequestHandler, WorkerProcess } from "./worker-process.ts";

export interface RequestHandlerOptions {
  readonly link: OdbLink;
  readonly keys: RequestKeys;
  readonly enqueue: (invocation: NewInvocation) => Promise<string>;
  /** The workers that clients may be connected to. */
  readonly workers: () => readonly Pick<WorkerProcess, "push">[];
}

type Handlers = {
  readonly [T in keyof Requests]: (
    body: Requests[T]["body"],
    asker: Asker,
  ) => Promise<Requests[T]["reply"]>;
};

/**
 * Does for workers what only the supervisor can: work on the ODB, and talk to its other workers. While that is out of reach, each
 * request is refused with ODB_UNREACHABLE within the ODB's time limit; nothing is kept for later.
 */
export function createRequestHandler(
  { link, keys, enqueue, workers }: RequestHandlerOptions,
): RequestHandler {
  const locks = new ClusterLocks({ link });
  const handlers: Handlers = {
    enqueue,
    cancel: ({ id }) => link.use((store) => store.cancelInvocation(id, { unbegun: true })),
    lock: (body, asker) => locks.lock(body, asker),
    renewLock: (body) => locks.renew(body),
    unlock: (body) => locks.unlock(body),
    claimKey: (claim, asker) => keys.claim(claim, asker),
    settleKey: (settlement, asker) => keys.settle(settlement, asker),
    releaseKey: (proof, asker) => keys.release(proof, asker),
    push: ({ text }) => {
      const all = workers();
      for (const worker of all) worker.push(text);
      return Promise.resolve(all.length);
    },
  };
  // The topic says which body it is.
  const handle = <T extends keyof Requests>(
    topic: T,
    body: RequestMessage["body"],
    asker: Asker,
  ) => handlers[topic](body as Requests[T]["body"], asker);
  return ({ topic, body }, asker) => handle(topic, body, asker);
}
