import assert from "node:assert/strict";
import { KeyObject } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { makeAuthorityCertificate, makeCertificate } from "../../../src/ca/certificates.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { openCredential } from "../../../src/security/credentials/open-credential.ts";
import { requestJson } from "../../../src/security/json-request.ts";
import { clusterKey } from "../data-plane/worker-process.ts";
import { sealed } from "./sealed-object.ts";

describe("Providers over TLS", () => {
  let server: Server;
  let url: string;
  let ca: string;
  let requests = 0;

  before(async () => {
    const validity = {
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
    };
    const subject = { commonName: "Test CA", organization: "Test" };
    const authority = await makeAuthorityCertificate(subject, validity);
    const issued = await makeCertificate(
      { identity: { cluster: "a", role: "server", name: "provider" }, hosts: ["127.0.0.1"] },
      validity,
      authority,
    );
    ca = authority.cert;
    const key = KeyObject.from(issued.privateKey).export({ type: "pkcs8", format: "pem" });
    server = createServer({ cert: issued.cert, key }, (_, response) => {
      requests++;
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ access_token: "t", token_type: "Bearer" }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // A server that listens on TCP has such an address.
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("are asked when their authority is the one that is named", async () => {
    const { status } = await requestJson({ url, method: "GET", ca, timeoutMs: 5_000 });
    assert.equal(status, 200);
  });

  it("are told nothing when their authority is not known, or the name is another", async () => {
    const before = requests;
    const wrong = [
      { url, ca: undefined },
      { url: url.replace("127.0.0.1", "localhost"), ca },
    ];
    for (const one of wrong) {
      await assert.rejects(requestJson({ ...one, method: "POST", body: "x", timeoutMs: 5_000 }));
    }
    assert.equal(requests, before);
  });

  it("give tokens to an OAuthClient that names their authority", async () => {
    const object = await sealed("OAuthClient", "crm", {
      tokenUrl: url,
      clientId: "a",
      clientSecret: "b",
      tlsCa: ca,
    });
    const headers = new Headers();
    const signal = AbortSignal.timeout(5_000);
    const credential = openCredential(object, parseClusterKey(clusterKey));
    await credential.apply({ url: new URL("http://api/"), headers, signal });

    assert.equal(headers.get("authorization"), "Bearer t");
  });
});
