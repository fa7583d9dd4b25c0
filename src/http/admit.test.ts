import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../errors/platform-error.ts";
import type { SecuredMessage } from "../security/authenticator.ts";
import { compileGuard, type Guard } from "../security/guard.ts";
import type { Principal } from "../security/principal.ts";
import { admit, admitHead, admitMessage } from "./admit.ts";
import { Exchange } from "./exchange.ts";
import { Forwarders } from "./forwarders.ts";
import type { Route } from "./route.ts";

const ana: Principal = { kind: "Test", name: "ana", roles: ["reader"] };

interface Setting {
  readonly guard?: Guard;
  readonly roles?: readonly string[];
  readonly query?: string;
}

/** A request on a route; of both, only what admitting looks at. */
function setting({ guard, roles, query = "" }: Setting): [Exchange, Route] {
  const deadlines = { start: () => ({ cancel: () => {} }) };
  const exchange = new Exchange(new Request(`http://a/x${query}`, { headers: { Host: "a" } }), {
    peer: { remoteAddr: { hostname: "127.0.0.1" } },
    cid: "cid",
    runtime: {} as never, // services are not reached
    tools: { deadlines, forwarders: new Forwarders([]) } as never, // nothing is answered
  });
  return [exchange, { guard, roles, timeoutMs: 1_000 } as unknown as Route]; // as above
}

const message: SecuredMessage = {
  envelope: { name: "e", namespace: "", attributes: [], children: [], declarations: new Map() },
  text: "ana",
};
const byMessage = compileGuard([{
  checkMessage: ({ text }) => text === "ana" ? ana : undefined,
}]);
const open = compileGuard([{ queryNames: ["key"], check: () => ana }]);
const later = compileGuard([{ check: () => Promise.resolve(ana) }]);
const closed = compileGuard([{ check: () => undefined }]);

const unauthorized = (error: unknown) => isPlatformError(error, "REQUEST_UNAUTHORIZED");
const forbidden = (error: unknown) => isPlatformError(error, "REQUEST_FORBIDDEN");

describe("admit", () => {
  it("lets in whom the guard knows, without waiting where the guard does not", async () => {
    const [exchange, route] = setting({ guard: open });
    assert.equal(admit(exchange, route), undefined);
    assert.equal(exchange.principal, ana);

    const [other, otherRoute] = setting({ guard: later });
    await admit(other, otherRoute);
    assert.equal(other.principal, ana);
  });

  it("lets in nobody else", () => {
    const [exchange, route] = setting({ guard: closed });
    assert.throws(() => admit(exchange, route), unauthorized);
    assert.equal(exchange.principal, undefined);
  });

  it("keeps out whoever has none of the roles", async () => {
    const [exchange, route] = setting({ guard: open, roles: ["writer"] });
    assert.throws(() => admit(exchange, route), forbidden);
    assert.equal(exchange.principal, undefined);
    await assert.rejects(
      async () => await admit(...setting({ guard: later, roles: [] })),
      forbidden,
    );

    const [reader, readers] = setting({ guard: open, roles: ["writer", "reader"] });
    void admit(reader, readers);
    assert.equal(reader.principal, ana);
  });

  it("stays closed where only the message could say who sends it", () => {
    assert.throws(() => admit(...setting({ guard: byMessage })), unauthorized);
  });

  it("takes credentials out of the query, whatever way they are written", () => {
    const query = "?a=1&key=s&b=%20+&%6Bey=s&key&keys=2&=3&";
    const [exchange, route] = setting({ guard: open, query });
    void admit(exchange, route);

    assert.equal(exchange.queryText, "a=1&b=%20+&keys=2&=3&");
    assert.equal(exchange.request.query.get("key"), null);
  });
});

describe("admitHead and admitMessage", () => {
  it("wait for the message, and for nothing else", async () => {
    const [exchange, route] = setting({ guard: byMessage });
    assert.equal(admitHead(exchange, route), undefined);
    assert.equal(exchange.principal, undefined);
    await admitMessage(exchange, route, message);
    assert.equal(exchange.principal, ana);
  });

  it("refuse a message of nobody, and one without the role", () => {
    const [exchange, route] = setting({ guard: byMessage });
    void admitHead(exchange, route);
    assert.throws(() => admitMessage(exchange, route, { ...message, text: "eve" }), unauthorized);

    const [other, writers] = setting({ guard: byMessage, roles: ["writer"] });
    void admitHead(other, writers);
    assert.throws(() => admitMessage(other, writers, message), forbidden);
  });

  it("do not ask the message of whom the head has made known", () => {
    const both = compileGuard([{ check: () => ana }, { checkMessage: () => assert.fail() }]);
    const [exchange, route] = setting({ guard: both });
    void admitHead(exchange, route);
    void admitMessage(exchange, route, message);
    assert.equal(exchange.principal, ana);
  });

  it("keep out at the head whom no message could let in", () => {
    assert.throws(() => admitHead(...setting({ guard: closed })), unauthorized);
  });
});
