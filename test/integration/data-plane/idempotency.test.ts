import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { KeyFixture, problemOf } from "./key-fixture.ts";
import { sendRaw } from "./raw-http.ts";

let keys: KeyFixture;

before(async () => {
  keys = await KeyFixture.open();
});

after(async () => {
  await keys?.[Symbol.asyncDispose]();
});

describe("A request with an idempotency key", () => {
  it("is executed once, and whoever repeats it gets the very answer", async () => {
    const key = randomUUID();
    const first = await keys.post("/pay", key, { what: key });
    const text = await first.text();
    const again = await keys.post("/pay", key, { what: key });

    assert.equal(first.status, 201);
    assert.equal(first.headers.get("idempotency-replayed"), null);
    assert.equal(again.status, 201);
    assert.equal(await again.text(), text);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.equal(again.headers.get("content-type"), "application/json");
    assert.deepEqual(again.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.notEqual(again.headers.get("x-dragoman-cid"), first.headers.get("x-dragoman-cid"));
    assert.equal(await keys.executions(key), 1);
  });

  it("is executed once when fifty come at the same time", async () => {
    const key = randomUUID();
    const wait = keys.file(key);
    const asking = Array.from({ length: 50 }, () => keys.post("/slow", key, { what: key, wait }));
    await keys.executed(key);
    await writeFile(wait, "");

    const answers = await Promise.all(asking);
    const texts = new Set(await Promise.all(answers.map((answer) => answer.text())));

    assert.deepEqual(answers.map(({ status }) => status), Array(50).fill(200));
    assert.equal(texts.size, 1);
    const replayed = answers.filter(({ headers }) => headers.get("idempotency-replayed") !== null);
    assert.equal(replayed.length, 49);
    assert.equal(await keys.executions(key), 1);
  });

  it("is refused when its key stood for another one", async () => {
    const key = randomUUID();
    await keys.post("/pay", key, { what: key });

    for (
      const answer of [
        await keys.post("/pay", key, { what: key, amount: 2 }),
        await keys.post("/pay?amount=1", key, { what: key }),
        await keys.post("/pay", key, { what: key }, { method: "PUT" }),
      ]
    ) {
      const { httpStatus, code, advice } = await problemOf(answer);
      assert.deepEqual([httpStatus, code], [422, "REQUEST_KEY_REUSED"]);
      assert.match(String(advice), /new key for each operation/);
    }
    assert.equal(await keys.executions(key), 1);
  });

  it("shares its key with no other channel, and a quoted key is the same one", async () => {
    const key = randomUUID();
    const first = await (await keys.post("/pay", key, { what: key })).json();
    const quoted = await keys.post("/pay", `"${key}"`, { what: key });
    const other = await keys.post("/other", key, { what: key });

    assert.deepEqual(await quoted.json(), first);
    assert.equal(other.headers.get("idempotency-replayed"), null);
    assert.equal(await keys.executions(key), 2);
  });

  it("that failed in the service is answered alike, and not executed again", async () => {
    for (const [path, status] of [["/fails", 500], ["/refuses", 404]] as const) {
      const key = randomUUID();
      const first = await keys.post(path, key, { what: key });
      const text = await first.text();
      const again = await keys.post(path, key, { what: key });

      assert.deepEqual([first.status, again.status], [status, status]);
      assert.equal(await again.text(), text);
      assert.equal(again.headers.get("idempotency-replayed"), "true");
      assert.equal(await keys.executions(key), 1);
    }
  });

  it("that was refused before the service began may be mended and sent again", async () => {
    const key = randomUUID();
    const wrong = await keys.post("/pay", key, { wrong: key });
    const malformed = await keys.post("/pay", key, "{");
    const tooLarge = await keys.post("/pay", key, { what: "x".repeat(200_000) });
    const right = await keys.post("/pay", key, { what: key });

    assert.deepEqual([wrong, malformed, tooLarge, right].map(({ status }) => status), [
      400,
      400,
      413,
      201,
    ]);
    assert.equal(right.headers.get("idempotency-replayed"), null);
  });

  it("that found its service busy may come again", async () => {
    const [first, key] = [randomUUID(), randomUUID()];
    const wait = keys.file(first);
    const holding = keys.post("/busy", undefined, { what: first, wait });
    await keys.executed(first);
    const refused = await keys.post("/busy", key, { what: key, wait });
    await writeFile(wait, "");
    await holding;
    const taken = await keys.post("/busy", key, { what: key, wait });

    assert.deepEqual([refused.status, taken.status], [503, 200]);
    assert.equal(taken.headers.get("idempotency-replayed"), null);
    assert.equal(await keys.executions(key), 1);
  });

  it("whose client has stopped waiting is answered when it is sent again", async () => {
    const key = randomUUID();
    const wait = keys.file(key);
    const late = await keys.post("/hurried", key, { what: key, wait });
    const running = await keys.post("/hurried", key, { what: key, wait });
    await writeFile(wait, "");
    const done = await poll(async () => {
      const answer = await keys.post("/hurried", key, { what: key, wait });
      return answer.status === 200 ? answer : undefined;
    }, { timeoutMs: 10_000 });

    assert.equal(late.status, 504);
    assert.equal(running.headers.get("retry-after"), "1");
    const { httpStatus, code } = await problemOf(running);
    assert.deepEqual([httpStatus, code], [409, "REQUEST_KEY_RUNNING"]);
    assert.equal(done?.headers.get("idempotency-replayed"), "true");
    assert.equal(await keys.executions(key), 1);
  });

  it("is executed once with hooks around its service, too", async () => {
    const key = randomUUID();
    await keys.post("/hooked", key, { what: key });
    const again = await keys.post("/hooked", key, { what: key });

    assert.equal(again.status, 200);
    assert.equal(await keys.executions(key), 1);
  });

  it("needs none where nothing changes", async () => {
    const key = randomUUID();
    const headers = { "Idempotency-Key": key };
    const first = await keys.worker.fetch(`/pay?what=${key}`, { headers });
    const second = await keys.worker.fetch(`/pay?what=${key}`, { headers });

    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(await keys.executions(key), 2);
  });
});

describe("Answers that are given again", () => {
  it("may be bytes, or nothing", async () => {
    const key = randomUUID();
    for (const path of ["/bytes", "/nothing"]) await keys.post(path, key, "");
    const bytes = await keys.post("/bytes", key, "");
    const nothing = await keys.post("/nothing", key, "");

    assert.deepEqual([...await bytes.bytes()], [0, 255, 1, 254]);
    assert.equal(bytes.headers.get("content-type"), "application/octet-stream");
    assert.deepEqual([nothing.status, nothing.body], [204, null]);
    assert.equal(nothing.headers.get("idempotency-replayed"), "true");
  });

  it("may be as long as 256 KiB; of longer ones only the fact is known", async () => {
    const [fits, long] = [randomUUID(), randomUUID()];
    const size = 256 * 1_024 - '{"text":""}'.length;
    await keys.post("/large", fits, { what: fits, size });
    const whole = await keys.post("/large", long, { what: long, size: size + 1 });
    const kept = await keys.post("/large", fits, { what: fits, size });
    const lost = await keys.post("/large", long, { what: long, size: size + 1 });

    assert.equal((await whole.bytes()).length, 256 * 1_024 + 1);
    assert.equal((await kept.bytes()).length, 256 * 1_024);
    const { httpStatus, code, detail } = await problemOf(lost);
    assert.deepEqual([httpStatus, code], [409, "REQUEST_KEY_ANSWER_LOST"]);
    assert.match(String(detail), /executed and answered with 200/);
    assert.equal(await keys.executions(long), 1);
  });

  it("are not compressed, whoever asks", async () => {
    const key = randomUUID();
    const body = { what: key, size: 5_000 };
    for (let times = 0; times < 2; times++) {
      const answer = await keys.post("/compressed", key, body);
      assert.equal(answer.headers.get("content-encoding"), null);
      assert.equal((await answer.text()).length, 5_011);
    }
  });

  it("are not those that are sent while they are made", async () => {
    const key = randomUUID();
    const first = await keys.post("/streamed", key, "");
    assert.equal(await first.text(), "ab");
    const again = await keys.post("/streamed", key, "");

    assert.equal((await problemOf(again))["code"], "REQUEST_KEY_ANSWER_LOST");
    assert.equal(await keys.executions("streamed"), 1);
  });

  it("stand for bodies that the service reads while they arrive, whatever is in them", async () => {
    const key = randomUUID();
    const headers = { "Content-Type": "application/octet-stream" };
    const first = await keys.post("/streams", key, "x".repeat(50_000), { headers });
    const again = await keys.post("/streams", key, "y".repeat(50_000), { headers });

    assert.deepEqual([await first.json(), await again.json()], [{ size: 50_000 }, {
      size: 50_000,
    }]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.equal(await keys.executions("streams"), 1);
  });

  it("may be SOAP, for a message whose headers are new", async () => {
    const key = randomUUID();
    const send = (header: string) =>
      keys.post("/soap", key, soapMessage(key, header), {
        headers: { "Content-Type": "text/xml" },
      });
    const first = await send("");
    const again = await send("<soap:Header><n xmlns='urn:x'>1</n></soap:Header>");
    const other = await keys.post("/soap", key, soapMessage("another", ""), {
      headers: { "Content-Type": "text/xml" },
    });

    assert.equal(first.status, 200);
    assert.equal(await again.text(), await first.text());
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.match(await other.text(), /REQUEST_KEY_REUSED/);
    assert.equal(await keys.executions(key), 1);
  });
});

function soapMessage(what: string, header: string): string {
  return `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">${header}` +
    `<soap:Body><Pay xmlns="urn:dragoman:soap"><what>${what}</what></Pay></soap:Body>` +
    "</soap:Envelope>";
}

describe("A key", () => {
  for (
    const [what, key] of [
      ["empty", ""],
      ["an empty string", '""'],
      ["of 256 characters", "k".repeat(256)],
      ["with a space", "a b"],
      ["with a comma", "a,b"],
      ["with quotation marks inside", 'a"b'],
      ["without its second quotation mark", '"abc'],
      ["with parameters", '"abc";a=1'],
      ["beyond ASCII", "caf\u00e9"],
    ] as const
  ) {
    it(`that is ${what} is refused`, async () => {
      const { httpStatus, code } = await problemOf(
        await keys.post("/pay", key, { what: "hostile" }),
      );

      assert.deepEqual([httpStatus, code], [400, "REQUEST_KEY_INVALID"]);
      assert.equal(await keys.executions("hostile"), 0);
    });
  }

  it("that comes twice is refused", async () => {
    const body = '{"what":"twice"}';
    const answer = await sendRaw(
      keys.worker.port,
      "POST /pay HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n" +
        `Content-Length: ${body.length}\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n${body}`,
    );

    assert.equal(answer.status, 400, answer.body);
    assert.match(answer.body, /REQUEST_KEY_INVALID/);
    assert.equal(await keys.executions("twice"), 0);
  });

  for (
    const key of ["k".repeat(255), '"a \\"quoted\\" \\\\ one"', "';drop/**/table--", "%00%ff{}<>"]
  ) {
    it(`such as ${key.slice(0, 30)} is taken`, async () => {
      const first = await keys.post("/pay", key, { what: key });
      const again = await keys.post("/pay", key, { what: key });

      assert.equal(first.status, 201);
      assert.equal(again.headers.get("idempotency-replayed"), "true");
    });
  }

  it("must come where the channel wants one", async () => {
    const without = await keys.post("/strict", undefined, { what: "strict" });
    const reading = await keys.worker.fetch("/strict?what=read");
    const with_ = await keys.post("/strict", randomUUID(), { what: "strict" });

    assert.equal((await problemOf(without))["code"], "REQUEST_KEY_MISSING");
    assert.deepEqual([reading.status, with_.status], [201, 201]);
    assert.equal(await keys.executions("strict"), 1);
  });

  it("is described where the channel is", async () => {
    const { paths } = await (await keys.worker.fetch("/dragoman/openapi.json")).json() as {
      paths: Record<string, Record<string, { parameters?: { name: string; required: boolean }[] }>>;
    };
    const found = (path: string, method: string) =>
      paths[path]![method]!.parameters?.find(({ name }) => name === "Idempotency-Key");

    assert.equal(found("/strict", "post")?.required, true);
    assert.equal(found("/pay", "put")?.required, false);
    assert.equal(found("/pay", "get"), undefined);
  });
});
