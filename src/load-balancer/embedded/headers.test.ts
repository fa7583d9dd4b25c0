import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { forwardedHeaders, hasBody, relayedHeaders } from "./headers.ts";

const facts = {
  clientAddress: "10.0.0.1",
  method: "GET",
  scheme: "http",
  defaultHost: "127.0.0.1:80",
} as const;
const own = [
  "X-Forwarded-For",
  "10.0.0.1",
  "X-Forwarded-Proto",
  "http",
  "X-Forwarded-Host",
  "a",
];

describe("forwardedHeaders", () => {
  it("keeps names, order and repetitions of what travels on", () => {
    const raw = ["hOST", "a", "X-B", "1", "x-b", "2", "Cookie", "c"];
    assert.deepEqual(forwardedHeaders(raw, facts), [...raw, ...own]);
  });

  it("drops what speaks of the connection, and what Connection names", () => {
    const raw = ["Host", "a", "Keep-Alive", "5", "TE", "trailers", "Trailer", "X"];
    raw.push("Proxy-Connection", "close", "Upgrade", "h2c", "Expect", "100-continue");
    raw.push("Connection", "close, X-Hop", "connection", "x-other-hop", "X-Hop", "1");
    raw.push("X-Other-Hop", "2");
    assert.deepEqual(forwardedHeaders(raw, facts), ["Host", "a", ...own]);
  });

  it("does not let Connection take away whose request it is and where it ends", () => {
    const raw = ["Host", "a", "Content-Length", "3", "Authorization", "b", "Cookie", "c"];
    const named = ["Connection", "host, content-length, authorization, cookie, x-forwarded-for"];
    assert.deepEqual(forwardedHeaders([...raw, ...named], facts), [...raw, ...own]);
  });

  it("replaces every claim of where the request came from", () => {
    const claims = ["X-Forwarded-For", "6.6.6.6", "x-forwarded-for", "7.7.7.7"];
    claims.push("Client-Cert", ":bXk=:", "X-Real-IP", "6.6.6.6", "X-Dragoman-Hop", "v1-guess");
    claims.push("X-FORWARDED-PROTO", "https", "X-Forwarded-Prefix", "/admin", "Forwarded", "for=6");
    assert.deepEqual(forwardedHeaders(["Host", "a", ...claims], facts), ["Host", "a", ...own]);
  });

  it("drops every claim of which certificate the client has", () => {
    const claims = ["Client-Cert", ":AAAA:", "client-cert", ":BBBB:", "CLIENT-CERT-CHAIN", ":CC:"];
    assert.deepEqual(forwardedHeaders(["Host", "a", ...claims], facts), ["Host", "a", ...own]);
  });

  it("frames the body as the client did, and says that a POST without one has none", () => {
    const framing = (method: string, raw: string[]) =>
      forwardedHeaders(["Host", "a", ...raw], { ...facts, method }).slice(2)
        .filter((_, i, all) => /length|encoding/i.test(all[i - i % 2]!));
    const chunked = ["Transfer-Encoding", "chunked"];
    assert.deepEqual(framing("POST", chunked), chunked);
    assert.deepEqual(framing("DELETE", chunked), chunked);
    assert.deepEqual(framing("POST", ["Content-Length", "3"]), ["Content-Length", "3"]);
    assert.deepEqual(framing("POST", []), ["Content-Length", "0"]);
    assert.deepEqual(framing("GET", []), []);
  });

  it("names a host for a client of HTTP/1.0 that did not", () => {
    assert.deepEqual(forwardedHeaders([], facts), ["Host", "127.0.0.1:80", ...own.slice(0, 4)]);
  });

  it("asks for an upgrade when told to", () => {
    const raw = ["Host", "a", "Connection", "Upgrade", "Upgrade", "websocket"];
    const sent = forwardedHeaders(raw, { ...facts, upgrade: "websocket" });
    assert.deepEqual(sent.slice(-4), ["Connection", "Upgrade", "Upgrade", "websocket"]);
  });
});

describe("relayedHeaders", () => {
  it("passes on everything but what speaks of the connection", () => {
    const kept = ["Content-Type", "a", "Set-Cookie", "b", "Set-Cookie", "c", "Forwarded", "d"];
    const dropped = ["Connection", "keep-alive, X-Hop", "X-Hop", "1", "Keep-Alive", "5"];
    assert.deepEqual(relayedHeaders([...dropped, ...kept, "Transfer-Encoding", "chunked"]), kept);
  });
});

describe("hasBody", () => {
  it("goes by the framing alone", () => {
    assert.equal(hasBody(["Transfer-Encoding", "chunked"]), true);
    assert.equal(hasBody(["content-length", "1"]), true);
    assert.equal(hasBody(["content-length", "0"]), false);
    assert.equal(hasBody([]), false);
  });
});
