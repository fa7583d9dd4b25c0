import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parseEnv } from "node:util";
import { isPortFree } from "../../src/lib/ports.ts";
import { poll } from "../../src/lib/wait.ts";
import { dragoman, dragomanOk } from "./quickstart.ts";
import { DevProcess } from "./dev-process.ts";

describe("A project under dragoman dev", { timeout: 300_000 }, () => {
  let directory = "";
  let project = "";
  let dev: DevProcess;
  let url = "";
  let key = "";
  const file = (name: string) => join(project, name);
  const change = async (name: string, edit: (text: string) => string) => {
    const from = dev.text.length;
    await writeFile(file(name), edit(await readFile(file(name), "utf8")));
    return { from };
  };
  const ask = async (path = "/hello?name=Ana") => {
    const response = await fetch(new URL(path, url), { headers: { "X-API-Key": key } });
    return { status: response.status, body: await response.json() as unknown };
  };
  const greeting = (text: string) => ({ status: 200, body: { greeting: text } });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-dev-"));
    project = join(directory, "shop");
    await dragomanOk(["new", "project", project]);
    key = parseEnv(await readFile(file(".env"), "utf8"))["SHOP_API_KEY"] ?? "";
    dev = new DevProcess([project, "--servers", "2"]);
  });
  after(async () => {
    await dev[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("runs in a cluster of its own, and says where its channels are", async () => {
    const [, address = ""] = await dev.prints(
      /GET,POST (http:\S+)\/hello -> hello, needs shop-key/,
    );
    await dev.prints(/Watching .*shop; Ctrl-C ends/);
    url = address;

    assert.match(dev.text, /services\/hello\.ts is live on 2 servers \(hello\)/);
    assert.match(dev.text, /objects created RestChannel hello, created ApiKey shop-key/);
    assert.deepEqual(await ask(), greeting("Hello, Ana!"));
    assert.equal((await fetch(new URL("/hello", url))).status, 401);
  });

  it("brings an edit to all servers, and says how long that took", async () => {
    const { from } = await change("services/hello.ts", (text) => text.replace("Hello,", "Salut,"));
    await dev.prints(/services\/hello\.ts is live on 2 servers, \d+ ms after the save \(hello\)/, {
      from,
    });

    for (let times = 0; times < 4; times++) assert.deepEqual(await ask(), greeting("Salut, Ana!"));
  });

  it("keeps the old code when an edit does not compile, shows the place, and goes on", async () => {
    const { from } = await change("services/hello.ts", (text) => text.replace("handle:", "handle"));
    await dev.prints(/fail services\/hello\.ts:\d+:\d+ .*\(what ran before still runs\)/, { from });
    await dev.prints(/\n {3,}\d+ \| .*handle.*\n {5} \| +\^\n/, { from });
    assert.deepEqual(await ask(), greeting("Salut, Ana!"));

    const mended = await change(
      "services/hello.ts",
      (text) => text.replace("handle", "handle:").replace("Salut,", "Ciao,"),
    );
    await dev.prints(/services\/hello\.ts is live on 2 servers/, mended);
    assert.deepEqual(await ask(), greeting("Ciao, Ana!"));
  });

  it("keeps the old code when a module does not load, and shows the author's line", async () => {
    const { from } = await change(
      "services/hello.ts",
      (text) => `${text}const gone: string[] = [];\ngone[0]!.trim();\n`,
    );
    await dev.prints(/fail services\/hello\.ts:\d+:\d+ .*trim.*\n.*gone\[0\]!\.trim\(\);\n.*\^/, {
      from,
    });
    assert.deepEqual(await ask(), greeting("Ciao, Ana!"));

    const mended = await change(
      "services/hello.ts",
      (text) => text.slice(0, text.indexOf("const gone")),
    );
    await dev.prints(/services\/hello\.ts is live/, mended);
  });

  it("follows modules that a service imports", async () => {
    await mkdir(file("lib"));
    await writeFile(file("lib/word.ts"), `export const word = "Hej";\n`);
    const first = await change(
      "services/hello.ts",
      (text) => `import { word } from "../lib/word.ts";\n${text.replace("Ciao,", "${word},")}`,
    );
    await dev.prints(/services\/hello\.ts is live on 2 servers/, first);
    assert.deepEqual(await ask(), greeting("Hej, Ana!"));

    const second = await change("lib/word.ts", (text) => text.replace("Hej", "Moin"));
    await dev.prints(/services\/hello\.ts is live on 2 servers/, second);
    assert.deepEqual(await ask(), greeting("Moin, Ana!"));
  });

  it("applies objects, and shows the place of what is wrong with them", async () => {
    const broken = await change("objects/hello.yaml", (text) => text.replace("/hello", "hello"));
    await dev.prints(/fail objects: objects\/hello\.yaml:6:3 .*\n.*path: hello\n.*\^/, broken);
    assert.equal((await ask()).status, 200);

    const mended = await change(
      "objects/hello.yaml",
      (text) => text.replace("path: hello", "path: /hi"),
    );
    await dev.prints(/objects updated RestChannel hello/, mended);
    assert.deepEqual(await ask("/hi?name=Ana"), greeting("Moin, Ana!"));
    assert.equal((await ask()).status, 404);
  });

  it("writes declarations and shows type errors beside the work", async () => {
    await poll(
      async () =>
        (await readFile(file("dragoman.d.ts"), "utf8")).includes(`hello: "RestChannel"`) ||
        undefined,
      {
        timeoutMs: 10_000,
      },
    );
    const wrong = await change("services/hello.ts", (text) => `${text}const n: number = "x";\n`);
    await dev.prints(/services\/hello\.ts is live as it is/, wrong);
    await dev.prints(
      /warn types: 1 error\nservices\/hello\.ts:\d+:7 .*\(TS2322\)\n +\d+ \| const n: number = "x";\n/,
      wrong,
    );

    const mended = await change("services/hello.ts", (text) => text.replace(/const n: .*\n/, ""));
    await dev.prints(/types have no errors any more/, mended);
  });

  it("lets a service and its channel be renamed", async () => {
    const first = await change("services/hello.ts", (text) => text.replace(`"hello"`, `"greet"`));
    await dev.prints(/fail services\/hello\.ts.*"hello" is used by RestChannel "hello"/, first);
    const second = await change(
      "objects/hello.yaml",
      (text) => text.replace("service: hello", "service: greet"),
    );
    await dev.prints(/live on 2 servers.*\(greet\)/, second);
    await dev.prints(/objects created RestChannel hello/, second);

    assert.deepEqual(await ask("/hi?name=Ana"), greeting("Moin, Ana!"));
  });

  it("takes away what is no longer there", async () => {
    const from = dev.text.length;
    await dragomanOk(["new", "service", "extra", "--dir", project]);
    await dev.prints(/services\/extra\.ts is live/, { from });
    await dev.prints(/created RestChannel extra/, { from });

    await rm(file("objects/extra.yaml"));
    await dev.prints(/objects deleted RestChannel extra/, { from });
    await rm(file("services/extra.test.ts"));
    await rm(file("services/extra.ts"));
    await dev.prints(/services\/extra\.ts and its services are taken away/, { from });

    assert.equal((await ask("/extra")).status, 404);
  });

  it("runs once for a project", async () => {
    const second = await dragoman(["dev", project]);

    assert.equal(second.exitCode, 1);
    assert.match(second.stderr, /runs already for ".*shop", as process \d+/);
  });

  it("ends everything that it has started, and leaves nothing behind", async () => {
    const port = Number(new URL(url).port);

    assert.equal(await dev.interrupt(), 0);

    assert.match(dev.text, /Nothing is left running\n$/);
    assert.ok(await isPortFree(port));
    await assert.rejects(stat(file(".dragoman/dev")), { code: "ENOENT" });
    await assert.rejects(stat(file(".dragoman/dev.pid")), { code: "ENOENT" });
  });
});
