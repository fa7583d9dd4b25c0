import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { StoredObject } from "../../../catalog/kind.ts";
import { PlatformError, reasonOf } from "../../../errors/platform-error.ts";
import type { ClusterKey } from "../../cluster-key.ts";
import { unsealField } from "../../secrets.ts";
import type { Credential, SendOptions } from "../credential.ts";
import { Connection, drop } from "./connection.ts";
import { ntlm } from "./index.ts";
import {
  type Account,
  type Challenge,
  parseChallenge,
  renderAuthenticate,
  renderNegotiate,
} from "./messages.ts";

/** Throws SECURITY_*, or a zod error for a broken spec. */
export function openNtlm({ kind, name, spec }: StoredObject, key: ClusterKey): Credential {
  const { password, ...account } = ntlm.schema.parse(spec);
  const clear = unsealField({ kind, name, field: "password" }, password, key);
  return new NtlmCredential(name, { ...account, password: clear });
}

/**
 * Authenticates a connection of its own for each exchange: what a kept one has been authenticated
 * for, and whether it is still there, is known only to the other side. The body is sent once, when
 * the server knows us.
 */
class NtlmCredential implements Credential {
  readonly #name: string;
  readonly #account: Account;

  constructor(name: string, account: Account) {
    this.#name = name;
    this.#account = account;
  }

  apply(): void {
    // Everything happens in `send`.
  }

  /** Rejects with SECURITY_NTLM_FAILED where the server does not play along. */
  async send(request: Request, options: SendOptions): Promise<Response> {
    const { method, url, body } = request;
    const target = new URL(url);
    const connection = new Connection(target, options);
    try {
      const negotiate = renderNegotiate();
      const hello = withAuthorization(request.headers, negotiate);
      // Not HEAD: its connection would not be kept, and what is asked for is only the challenge.
      const askMethod = method === "HEAD" ? "GET" : method;
      const asked = await connection.send({ method: askMethod, headers: hello, body: null });
      const challenge = this.#challengeOf(asked);
      await drop(asked);
      const answer = renderAuthenticate(challenge, this.#account, {
        negotiate,
        clientChallenge: randomBytes(8),
        now: Date.now(),
        target: `HTTP/${target.hostname}`,
      });
      const headers = withAuthorization(request.headers, answer);
      const final = await connection.send({ method, headers, body });
      return toResponse(final, method, () => connection.close());
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #challengeOf(answer: IncomingMessage): Challenge {
    const header = answer.headers["www-authenticate"] ?? "";
    const encoded = /(?:^|,)\s*NTLM\s+([A-Za-z0-9+/]+={0,2})\s*(?:,|$)/i.exec(header)?.[1];
    try {
      if (answer.statusCode !== 401) throw new Error(`it answered ${answer.statusCode}, not 401`);
      if (encoded === undefined) throw new Error("it sent no NTLM challenge");
      return parseChallenge(Buffer.from(encoded, "base64"));
    } catch (error) {
      throw new PlatformError("SECURITY_NTLM_FAILED", {
        name: this.#name,
        reason: reasonOf(error),
      });
    }
  }
}

function withAuthorization(headers: Headers, message: Buffer): Headers {
  const all = new Headers(headers);
  all.set("Authorization", `NTLM ${message.toString("base64")}`);
  return all;
}

/** Statuses that have no body. */
const bodilessStatuses = new Set([204, 205, 304]);

function toResponse(answer: IncomingMessage, method: string, close: () => void): Response {
  const headers = new Headers();
  for (let i = 0; i < answer.rawHeaders.length; i += 2) {
    headers.append(answer.rawHeaders[i]!, answer.rawHeaders[i + 1]!);
  }
  const status = answer.statusCode ?? 502;
  answer.once("close", close);
  if (method === "HEAD" || bodilessStatuses.has(status)) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  // The stream of node:stream/web is the one of the web; only their types differ.
  const body = Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array>;
  return new Response(body, { status, headers });
}
