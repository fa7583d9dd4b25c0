import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { poll } from "../../src/lib/wait.ts";
import { createNetworkWire, type NetworkEnd, type NetworkWire } from "./network-namespaces.ts";

let wire: NetworkWire;

before(async () => {
  wire = await createNetworkWire();
});

after(async () => {
  await wire?.[Symbol.asyncDispose]();
});

/** Runs a script of the runtime at one end; what it prints is collected. */
function run(end: NetworkEnd, script: string) {
  const child = end.spawn(process.execPath, ["eval", script]);
  const seen = { text: "" };
  child.stdout?.on("data", (chunk) => seen.text += String(chunk));
  return { child, seen };
}

async function says(seen: { readonly text: string }, text: string): Promise<void> {
  const found = await poll(() => seen.text.includes(text) || undefined, { timeoutMs: 15_000 });
  assert.ok(found, `it did not say "${text}" but "${seen.text}"`);
}

describe("A wire between two networks", () => {
  it("carries, loses everything without a word while it is cut, and carries on", async () => {
    const [one, other] = wire.ends;
    const server = run(
      one,
      `import { createServer } from "node:net";
       createServer((socket) => socket.pipe(socket)).listen(7000, "${one.address}",
         () => console.log("listens"));`,
    );
    await says(server.seen, "listens");
    const client = run(
      other,
      `import { connect } from "node:net";
       const socket = connect(7000, "${one.address}", () => console.log("connected"));
       process.stdin.on("data", (chunk) => socket.write(chunk));
       socket.on("data", (chunk) => console.log("heard " + chunk));
       socket.on("close", () => console.log("closed"));
       socket.on("error", (error) => console.log(error.code));`,
    );
    await says(client.seen, "connected");
    client.child.stdin?.write("one\n");
    await says(client.seen, "heard one");

    await wire.cut();
    client.child.stdin?.write("two\n");
    // Whoever comes anew gets no answer either; that it gives up is the time that passes here.
    const late = run(
      other,
      `import { connect } from "node:net";
       const socket = connect(7000, "${one.address}", () => console.log("connected"));
       socket.setTimeout(500, () => { console.log("silence"); process.exit(); });
       socket.on("error", (error) => console.log(error.code));`,
    );
    await once(late.child, "exit");

    assert.equal(late.seen.text.trim(), "silence");
    assert.doesNotMatch(client.seen.text, /two|closed/);
    await wire.heal();
    await says(client.seen, "heard two");
    assert.doesNotMatch(client.seen.text, /closed/);
  });
});
