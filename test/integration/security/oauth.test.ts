import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { oauthClient } from "../../../src/security/credentials/oauth/index.ts";
import { OauthCredential } from "../../../src/security/credentials/oauth/oauth-credential.ts";
import { openCredential } from "../../../src/security/credentials/open-credential.ts";
import { clusterKey } from "../data-plane/worker-process.ts";
import { json, Provider } from "./provider.ts";
import { sealed } from "./sealed-object.ts";

const secret = "s3cret/with:all+of%them";

describe("OAuthClient", () => {
  let provider: Provider;
  let clock: number;
  let count: number;

  beforeEach(async () => {
    clock = 1_000_000;
    count = 0;
    provider = await Provider.start((_, response) =>
      json(response, { access_token: `token-${++count}`, token_type: "Bearer", expires_in: 300 })
    );
  });
  afterEach(() => provider[Symbol.asyncDispose]());

  function open(spec: Readonly<Record<string, unknown>> = {}): OauthCredential {
    const { clientSecret, refreshToken, ...rest } = oauthClient.schema.parse({
      tokenUrl: `${provider.url}/token`,
      clientId: "dragoman app",
      clientSecret: secret,
      ...spec,
    });
    return new OauthCredential(
      { name: "crm", spec: rest, clientSecret, refreshToken },
      () => clock,
    );
  }

  async function headerOf(
    credential: OauthCredential,
    signal: AbortSignal = AbortSignal.timeout(10_000),
  ): Promise<Headers> {
    const headers = new Headers();
    await credential.apply({ url: new URL("http://api/"), headers, signal });
    return headers;
  }
  const tokenOf = async (credential: OauthCredential) =>
    (await headerOf(credential)).get("authorization");

  it("opens from a sealed object and asks with its own words", async () => {
    const object = await sealed("OAuthClient", "crm", {
      tokenUrl: `${provider.url}/token`,
      clientId: "dragoman app",
      clientSecret: secret,
      scopes: ["a", "b"],
      audience: "https://api",
      parameters: { resource: "x&y=z" },
    });
    const credential = openCredential(object, parseClusterKey(clusterKey));
    const headers = new Headers();
    const signal = AbortSignal.timeout(10_000);
    await credential.apply({ url: new URL("http://api/"), headers, signal });

    assert.equal(headers.get("authorization"), "Bearer token-1");
    const [request] = provider.requests;
    assert.deepEqual([request?.method, request?.path], ["POST", "/token"]);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
      grant_type: "client_credentials",
      scope: "a b",
      audience: "https://api",
      resource: "x&y=z",
    });
    const basic = Buffer.from(request!.headers.authorization!.slice(6), "base64").toString();
    const [user, password] = basic.split(":").map((part) =>
      new URLSearchParams(`a=${part}`).get("a")
    );
    assert.deepEqual([user, password], ["dragoman app", secret]);
  });

  it("sends the client's secret in the form when told to", async () => {
    await tokenOf(open({ clientAuthentication: "post" }));

    const [request] = provider.requests;
    assert.equal(request?.headers.authorization, undefined);
    const form = new URLSearchParams(request?.body);
    assert.deepEqual([form.get("client_id"), form.get("client_secret")], ["dragoman app", secret]);
  });

  it("keeps a token until shortly before it expires", async () => {
    const credential = open({ marginSeconds: 30 });

    assert.equal(await tokenOf(credential), "Bearer token-1");
    clock += 269_000;
    assert.equal(await tokenOf(credential), "Bearer token-1");
    clock += 2_000;
    assert.equal(await tokenOf(credential), "Bearer token-2");
  });

  it("uses a token that lives shorter than the margin", async () => {
    provider.answer = (_, response) =>
      json(response, { access_token: `t-${++count}`, token_type: "bearer", expires_in: "20" });
    const credential = open();

    await tokenOf(credential);
    clock += 9_000;
    assert.equal(await tokenOf(credential), "Bearer t-1");
    clock += 2_000;
    assert.equal(await tokenOf(credential), "Bearer t-2");
  });

  it("fetches one token for all who wait", async () => {
    const credential = open();
    const tokens = await Promise.all(Array.from({ length: 50 }, () => tokenOf(credential)));

    assert.deepEqual([...new Set(tokens)], ["Bearer token-1"]);
    assert.equal(provider.requests.length, 1);
  });

  it("gives up a token that was refused, but not the one fetched since", async () => {
    const credential = open();
    const [first, other] = [await headerOf(credential), await headerOf(credential)];

    assert.equal(credential.refresh(first), true);
    assert.equal(await tokenOf(credential), "Bearer token-2");
    assert.equal(credential.refresh(other), true);
    assert.equal(await tokenOf(credential), "Bearer token-2");
  });

  it("lets a caller whose time is over go, and the others wait", async () => {
    const held: (() => void)[] = [];
    provider.answer = (_, response) =>
      held.push(() => json(response, { access_token: "late", token_type: "Bearer" }));
    const credential = open();
    const abort = new AbortController();
    const reason = new Error("the time is over");
    const hurried = headerOf(credential, abort.signal);
    const patient = tokenOf(credential);
    abort.abort(reason);

    await assert.rejects(hurried, reason);
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    held[0]!();
    assert.equal(await patient, "Bearer late");
    assert.equal(provider.requests.length, 1);
  });

  it("follows a refresh token that rotates, and finds back when that is lost", async () => {
    const sent: (string | null)[] = [];
    let takes = "first";
    provider.answer = ({ body }, response) => {
      const token = new URLSearchParams(body).get("refresh_token");
      sent.push(token);
      if (token !== takes) return json(response, { error: "invalid_grant" }, 400);
      takes = `${takes}+`;
      json(response, { access_token: takes, token_type: "Bearer", refresh_token: takes });
    };
    const credential = open({ grant: "refresh_token", refreshToken: "first" });

    assert.equal(await tokenOf(credential), "Bearer first+");
    credential.refresh(await headerOf(credential));
    assert.equal(await tokenOf(credential), "Bearer first++");
    takes = "first";
    credential.refresh(await headerOf(credential));
    await assert.rejects(tokenOf(credential));
    clock += 5_001;
    assert.equal(await tokenOf(credential), "Bearer first+");
    assert.deepEqual(sent, ["first", "first+", "first++", "first"]);
  });

  it("does not try wrong secrets again with every call", async () => {
    provider.answer = (_, response) => json(response, { error: "invalid_client" }, 401);
    const credential = open();
    for (let n = 0; n < 5; n++) await assert.rejects(tokenOf(credential));

    assert.equal(provider.requests.length, 1);
    clock += 5_001;
    await assert.rejects(tokenOf(credential));
    assert.equal(provider.requests.length, 2);
  });

  const echo = { error: "invalid_request", error_description: `you sent ${secret}` };
  const failures: readonly [string, number, unknown, string][] = [
    ["an error", 400, echo, "SECURITY_TOKEN_REFUSED"],
    ["an error in words of its own", 400, { error: `bad ${secret}` }, "SECURITY_TOKEN_REFUSED"],
    ["a status of 500", 500, echo, "SECURITY_TOKEN_UNREACHABLE"],
    ["a status of 429", 429, echo, "SECURITY_TOKEN_UNREACHABLE"],
    ["a redirect", 302, echo, "SECURITY_TOKEN_REFUSED"],
    ["no token", 200, {}, "SECURITY_TOKEN_REFUSED"],
    ["a list", 200, [secret], "SECURITY_TOKEN_REFUSED"],
    [
      "another type of token",
      200,
      { access_token: "a", token_type: "mac" },
      "SECURITY_TOKEN_REFUSED",
    ],
    ["a token with a line break", 200, {
      access_token: "a\r\nX-Evil: 1",
      token_type: "Bearer",
    }, "SECURITY_TOKEN_REFUSED"],
  ];
  for (const [name, status, value, code] of failures) {
    it(`says that it got ${name}, and quotes no secret`, async () => {
      provider.answer = (_, response) => json(response, value, status);
      await assert.rejects(tokenOf(open()), (error: Error) => {
        assert.ok(isPlatformError(error) && error.code === code, String(error));
        assert.doesNotMatch(JSON.stringify([error, error.stack, error.cause]), /s3cret/);
        return true;
      });
    });
  }

  it("says that nobody answers, and tries again at once", async () => {
    provider.answer = (_, response) => response.destroy();
    const credential = open();
    await assert.rejects(
      tokenOf(credential),
      (error) => isPlatformError(error, "SECURITY_TOKEN_UNREACHABLE"),
    );

    provider.answer = (_, response) => json(response, { access_token: "b", token_type: "Bearer" });
    assert.equal(await tokenOf(credential), "Bearer b");
  });

  it("is refused without the secret that its grant needs, or over plain HTTP", () => {
    const spec = oauthClient.schema.parse({ tokenUrl: "https://a/", clientId: "a" });
    assert.match(oauthClient.conflict!(spec, [], "crm")!, /clientSecret/);
    const refresh = { ...spec, grant: "refresh_token" as const };
    assert.match(oauthClient.conflict!(refresh, [], "crm")!, /refreshToken/);
    for (const tokenUrl of ["http://login.example.com/", "ftp://a/", "https://a:b@c/", "x"]) {
      assert.equal(oauthClient.schema.safeParse({ tokenUrl, clientId: "a" }).success, false);
    }
  });
});

describe("Fixed credentials", () => {
  const cases: readonly [string, string, Record<string, unknown>, [string | null, string]][] = [
    ["a user name and a password", "BasicCredentials", {
      username: "ana",
      password: "pä:ss",
    }, [`Basic ${Buffer.from("ana:pä:ss").toString("base64")}`, "http://api/?a=1"]],
    ["a key in a header", "ApiKeyCredentials", {
      header: "Authorization",
      prefix: "Bearer ",
      key: "k-1",
    }, ["Bearer k-1", "http://api/?a=1"]],
    ["a key in the query", "ApiKeyCredentials", { query: "key", key: "k&2" }, [
      null,
      "http://api/?a=1&key=k%262",
    ]],
  ];
  for (const [name, kind, spec, expected] of cases) {
    it(`add ${name}`, async () => {
      const credential = openCredential(
        await sealed(kind, "crm", spec),
        parseClusterKey(clusterKey),
      );
      const [url, headers] = [new URL("http://api/?a=1"), new Headers()];
      await credential.apply({ url, headers, signal: AbortSignal.timeout(1_000) });

      assert.deepEqual([headers.get("authorization"), url.href], expected);
    });
  }

  it("are not opened from other kinds", async () => {
    const key = parseClusterKey(clusterKey);
    const object = await sealed("ApiKey", "crm", { key: "0123456789abcdef" });
    assert.throws(
      () => openCredential(object, key),
      (error) => isPlatformError(error, "SECURITY_CREDENTIAL_UNKNOWN"),
    );
  });
});
