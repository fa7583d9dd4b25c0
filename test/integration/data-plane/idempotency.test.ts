import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { startKeyWorker } from "./key-services.ts";
import { KeySupervisor } from "./key-supervisor.ts";
import { sendRaw } from "./raw-http.ts";
import type { WorkerProcess } from "./worker-process.ts";

let supervisor: KeySupervisor;
let worker: WorkerProcess;
let ran: string;

before(async () => {
  supervisor = await KeySupervisor.open();
  ran = join(supervisor.directory, "ran");
  await writeFile(ran, "");
  worker = await startKeyWorker(supervisor, ran);
});

after(async () => {
  await worker?.[Symbol.asyncDispose]();
  await supervisor?.[Symbol.asyncDispose]();
});

/** How often services noted `what`. */
async function executions(what: string): Promise<number> {
  return (await readFile(ran, "utf8")).split("\n").filter((line) => line === what).length;
}

function post(
  path: string,
  key: string | undefined,
  body: unknown,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers({ "Content-Type": "application/json" });
  if (key !== undefined) headers.set("Idempotency-Key", key);
  return worker.fetch(path, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  return { ...await response.json() as Record<string, unknown>, httpStatus: response.status };
}

describe("A request with an idempotency key", () => {
  it("is executed once, and whoever repeats it gets the very answer", async () => {
    const key = randomUUID();
    const first = await post("/pay", key, { what: key });
    const text = await first.text();
    const again = await post("/pay", key, { what: key });

    assert.equal(first.status, 201);
    assert.equal(first.headers.get("idempotency-replayed"), null);
    assert.equal(again.status, 201);
    assert.equal(await again.text(), text);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.equal(again.headers.get("content-type"), "application/json");
    assert.deepEqual(again.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.notEqual(again.headers.get("x-dragoman-cid"), first.headers.get("x-dragoman-cid"));
    assert.equal(await executions(key), 1);
  });

  it("is executed once when fifty come at the same time", async () => {
    const key = randomUUID();
    const wait = join(supervisor.directory, key);
    const asking = Array.from({ length: 50 }, () => post("/slow", key, { what: key, wait }));
    assert.ok(await poll(async () => await executions(key) || undefined, { timeoutMs: 10_000 }));
    await writeFile(wait, "");

    const answers = await Promise.all(asking);
    const texts = new Set(await Promise.all(answers.map((answer) => answer.text())));

    assert.deepEqual(answers.map(({ status }) => status), Array(50).fill(200));
    assert.equal(texts.size, 1);
    const replayed = answers.filter(({ headers }) => headers.get("idempotency-replayed") !== null);
    assert.equal(replayed.length, 49);
    assert.equal(await executions(key), 1);
  });

  it("is refused when its key stood for another one", async () => {
    const key = randomUUID();
    await post("/pay", key, { what: key });

    for (
      const answer of [
        await post("/pay", key, { what: key, amount: 2 }),
        await post("/pay?amount=1", key, { what: key }),
        await post("/pay", key, { what: key }, {
          method: "PUT",
          headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        }),
      ]
    ) {
      const { httpStatus, code, advice } = await problemOf(answer);
      assert.deepEqual([httpStatus, code], [422, "REQUEST_KEY_REUSED"]);
      assert.match(String(advice), /new key for each operation/);
    }
    assert.equal(await executions(key), 1);
  });

  it("shares its key with no other channel, and a quoted key is the same one", async () => {
    const key = randomUUID();
    const first = await (await post("/pay", key, { what: key })).json();
    const quoted = await post("/pay", `"${key}"`, { what: key });
    const other = await post("/other", key, { what: key });

    assert.deepEqual(await quoted.json(), first);
    assert.equal(other.headers.get("idempotency-replayed"), null);
    assert.equal(await executions(key), 2);
  });

  it("that failed in the service is answered alike, and not executed again", async () => {
    for (const [path, status] of [["/fails", 500], ["/refuses", 404]] as const) {
      const key = randomUUID();
      const first = await post(path, key, { what: key });
      const text = await first.text();
      const again = await post(path, key, { what: key });

      assert.deepEqual([first.status, again.status], [status, status]);
      assert.equal(await again.text(), text);
      assert.equal(again.headers.get("idempotency-replayed"), "true");
      assert.equal(await executions(key), 1);
    }
  });

  it("that was refused before the service began may be mended and sent again", async () => {
    const key = randomUUID();
    const wrong = await post("/pay", key, { wrong: key });
    const malformed = await post("/pay", key, "{");
    const tooLarge = await post("/pay", key, { what: "x".repeat(200_000) });
    const right = await post("/pay", key, { what: key });

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
    const wait = join(supervisor.directory, first);
    const holding = post("/busy", undefined, { what: first, wait });
    assert.ok(await poll(async () => await executions(first) || undefined, { timeoutMs: 10_000 }));
    const refused = await post("/busy", key, { what: key, wait });
    await writeFile(wait, "");
    await holding;
    const taken = await post("/busy", key, { what: key, wait });

    assert.deepEqual([refused.status, taken.status], [503, 200]);
    assert.equal(taken.headers.get("idempotency-replayed"), null);
    assert.equal(await executions(key), 1);
  });

  it("whose client has stopped waiting is answered when it is sent again", async () => {
    const key = randomUUID();
    const wait = join(supervisor.directory, key);
    const late = await post("/hurried", key, { what: key, wait });
    const running = await post("/hurried", key, { what: key, wait });
    await writeFile(wait, "");
    const done = await poll(async () => {
      const answer = await post("/hurried", key, { what: key, wait });
      return answer.status === 200 ? answer : undefined;
    }, { timeoutMs: 10_000 });

    assert.equal(late.status, 504);
    assert.equal(running.headers.get("retry-after"), "1");
    const { httpStatus, code } = await problemOf(running);
    assert.deepEqual([httpStatus, code], [409, "REQUEST_KEY_RUNNING"]);
    assert.equal(done?.headers.get("idempotency-replayed"), "true");
    assert.equal(await executions(key), 1);
  });

  it("is executed once with hooks around its service, too", async () => {
    const key = randomUUID();
    await post("/hooked", key, { what: key });
    const again = await post("/hooked", key, { what: key });

    assert.equal(again.status, 200);
    assert.equal(await executions(key), 1);
  });

  it("needs none where nothing changes", async () => {
    const key = randomUUID();
    const headers = { "Idempotency-Key": key };
    const first = await worker.fetch(`/pay?what=${key}`, { headers });
    const second = await worker.fetch(`/pay?what=${key}`, { headers });

    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(await executions(key), 2);
  });
});

describe("Answers that are given again", () => {
  it("may be bytes, or nothing", async () => {
    const key = randomUUID();
    for (const path of ["/bytes", "/nothing"]) await post(path, key, "");
    const bytes = await post("/bytes", key, "");
    const nothing = await post("/nothing", key, "");

    assert.deepEqual([...await bytes.bytes()], [0, 255, 1, 254]);
    assert.equal(bytes.headers.get("content-type"), "application/octet-stream");
    assert.deepEqual([nothing.status, nothing.body], [204, null]);
    assert.equal(nothing.headers.get("idempotency-replayed"), "true");
  });

  it("may be as long as 256 KiB; of longer ones only the fact is known", async () => {
    const [fits, long] = [randomUUID(), randomUUID()];
    const size = 256 * 1_024 - '{"text":""}'.length;
    await post("/large", fits, { what: fits, size });
    const whole = await post("/large", long, { what: long, size: size + 1 });
    const kept = await post("/large", fits, { what: fits, size });
    const lost = await post("/large", long, { what: long, size: size + 1 });

    assert.equal((await whole.bytes()).length, 256 * 1_024 + 1);
    assert.equal((await kept.bytes()).length, 256 * 1_024);
    const { httpStatus, code, detail } = await problemOf(lost);
    assert.deepEqual([httpStatus, code], [409, "REQUEST_KEY_ANSWER_LOST"]);
    assert.match(String(detail), /executed and answered with 200/);
    assert.equal(await executions(long), 1);
  });

  it("are not compressed, whoever asks", async () => {
    const key = randomUUID();
    const body = { what: key, size: 5_000 };
    for (let times = 0; times < 2; times++) {
      const answer = await post("/compressed", key, body);
      assert.equal(answer.headers.get("content-encoding"), null);
      assert.equal((await answer.text()).length, 5_011);
    }
  });

  it("are not those that are sent while they are made", async () => {
    const key = randomUUID();
    const first = await post("/streamed", key, "");
    assert.equal(await first.text(), "ab");
    const again = await post("/streamed", key, "");

    assert.equal((await problemOf(again))["code"], "REQUEST_KEY_ANSWER_LOST");
    assert.equal(await executions("streamed"), 1);
  });

  it("stand for bodies that the service reads while they arrive, whatever is in them", async () => {
    const key = randomUUID();
    const headers = { "Content-Type": "application/octet-stream", "Idempotency-Key": key };
    const first = await post("/streams", key, "x".repeat(50_000), { headers });
    const again = await post("/streams", key, "y".repeat(50_000), { headers });

    assert.deepEqual([await first.json(), await again.json()], [{ size: 50_000 }, {
      size: 50_000,
    }]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.equal(await executions("streams"), 1);
  });

  it("may be SOAP, for a message whose headers are new", async () => {
    const key = randomUUID();
    const send = (header: string) =>
      post("/soap", key, soapMessage(key, header), {
        headers: { "Content-Type": "text/xml", "Idempotency-Key": key },
      });
    const first = await send("");
    const again = await send("<soap:Header><n xmlns='urn:x'>1</n></soap:Header>");
    const other = await post("/soap", key, soapMessage("another", ""), {
      headers: { "Content-Type": "text/xml", "Idempotency-Key": key },
    });

    assert.equal(first.status, 200);
    assert.equal(await again.text(), await first.text());
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.match(await other.text(), /REQUEST_KEY_REUSED/);
    assert.equal(await executions(key), 1);
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
      const { httpStatus, code } = await problemOf(await post("/pay", key, { what: "hostile" }));

      assert.deepEqual([httpStatus, code], [400, "REQUEST_KEY_INVALID"]);
      assert.equal(await executions("hostile"), 0);
    });
  }

  it("that comes twice is refused", async () => {
    const body = '{"what":"twice"}';
    const answer = await sendRaw(
      worker.port,
      "POST /pay HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n" +
        `Content-Length: ${body.length}\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n${body}`,
    );

    assert.equal(answer.status, 400, answer.body);
    assert.match(answer.body, /REQUEST_KEY_INVALID/);
    assert.equal(await executions("twice"), 0);
  });

  for (
    const key of ["k".repeat(255), '"a \\"quoted\\" \\\\ one"', "';drop/**/table--", "%00%ff{}<>"]
  ) {
    it(`such as ${key.slice(0, 30)} is taken`, async () => {
      const first = await post("/pay", key, { what: key });
      const again = await post("/pay", key, { what: key });

      assert.equal(first.status, 201);
      assert.equal(again.headers.get("idempotency-replayed"), "true");
    });
  }

  it("must come where the channel wants one", async () => {
    const without = await post("/strict", undefined, { what: "strict" });
    const reading = await worker.fetch("/strict?what=read");
    const with_ = await post("/strict", randomUUID(), { what: "strict" });

    assert.equal((await problemOf(without))["code"], "REQUEST_KEY_MISSING");
    assert.deepEqual([reading.status, with_.status], [201, 201]);
    assert.equal(await executions("strict"), 1);
  });

  it("is described where the channel is", async () => {
    const { paths } = await (await worker.fetch("/dragoman/openapi.json")).json() as {
      paths: Record<string, Record<string, { parameters?: { name: string; required: boolean }[] }>>;
    };
    const found = (path: string, method: string) =>
      paths[path]![method]!.parameters?.find(({ name }) => name === "Idempotency-Key");

    assert.equal(found("/strict", "post")?.required, true);
    assert.equal(found("/pay", "put")?.required, false);
    assert.equal(found("/pay", "get"), undefined);
  });
});

describe("Without the ODB, a request with a key", () => {
  it("is not executed, and says when to come again", async () => {
    const key = randomUUID();
    supervisor.isAway = true;
    const refused = await post("/pay", key, { what: key });
    const plain = await post("/pay", undefined, { what: `${key} plain` });
    supervisor.isAway = false;
    const taken = await poll(async () => {
      const answer = await post("/pay", key, { what: key });
      return answer.status === 201 ? answer : undefined;
    }, { timeoutMs: 10_000 });

    assert.equal(refused.headers.get("retry-after"), "1");
    const { httpStatus, code } = await problemOf(refused);
    assert.deepEqual([httpStatus, code], [503, "REQUEST_KEY_UNAVAILABLE"]);
    assert.equal(plain.status, 201);
    assert.equal(taken?.headers.get("idempotency-replayed"), null);
    assert.equal(await executions(key), 1);
  });

  it("that was being executed is answered, and its answer is kept later", async () => {
    const key = randomUUID();
    const wait = join(supervisor.directory, key);
    const asking = post("/slow", key, { what: key, wait });
    assert.ok(await poll(async () => await executions(key) || undefined, { timeoutMs: 10_000 }));
    supervisor.isAway = true;
    await writeFile(wait, "");
    const first = await asking;
    supervisor.isAway = false;
    const again = await poll(async () => {
      const answer = await post("/slow", key, { what: key, wait });
      return answer.status === 200 ? answer : undefined;
    }, { timeoutMs: 10_000 });

    assert.equal(first.status, 200);
    assert.deepEqual(await again?.json(), await first.json());
    assert.equal(await executions(key), 1);
  });
});

describe("When the worker that executes a request dies", () => {
  it("nobody executes it again unless the channel says so", async () => {
    const [key, other] = [randomUUID(), randomUUID()];
    const wait = join(supervisor.directory, key);
    const asking = Promise.allSettled([
      post("/slow", key, { what: key, wait }),
      post("/again", other, { what: other, wait }),
    ]);
    for (const what of [key, other]) {
      assert.ok(await poll(async () => await executions(what) || undefined, { timeoutMs: 10_000 }));
    }
    await worker[Symbol.asyncDispose]();
    await asking;
    worker = await startKeyWorker(supervisor, ran);
    const refused = await post("/slow", key, { what: key, wait });
    const repeating = post("/again", other, { what: other, wait });
    await writeFile(wait, "");
    const repeated = await repeating;

    const { httpStatus, code, detail } = await problemOf(refused);
    assert.deepEqual([httpStatus, code], [409, "REQUEST_KEY_UNKNOWN"]);
    assert.match(String(detail), /cannot be known/);
    assert.deepEqual([repeated.status, repeated.headers.get("idempotency-replayed")], [200, null]);
    assert.equal(await executions(key), 1);
    assert.equal(await executions(other), 2);
  });
});
