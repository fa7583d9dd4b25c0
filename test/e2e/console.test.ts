import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { type Chromium, startChromium } from "../peers/chromium.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let cluster: Quickstart;
let browser: Chromium;
let page: Page;

before(async () => {
  cluster = await startQuickstart();
  browser = await startChromium();
  page = browser.page;
});

after(async () => {
  await browser?.stop();
  await cluster?.[Symbol.asyncDispose]();
});

describe("The console of a quickstart cluster", () => {
  it("lets the user of the quickstart in, and says that everything runs", async () => {
    await page.goto(cluster.webAdmin.url);
    await page.getByLabel(/user/i).first().fill(cluster.webAdmin.username);
    await page.getByLabel(/password/i).first().fill(cluster.webAdmin.password);
    await page.keyboard.press("Enter");

    await page.getByText("Everything runs").first().waitFor();
  });

  it("shows balancer, servers with their workers, ODB and KVDB", async () => {
    const text = await page.locator("body").innerText();

    for (const word of ["Balancer", "server1", "server2", "worker 1", "ODB", "KVDB", "in step"]) {
      assert.ok(text.includes(word), `no "${word}" on the page`);
    }
  });

  it("shows by itself that a server was killed, and that it is back", async () => {
    const server2 = (await cluster.components()).find(({ name }) => name === "server2")!;
    process.kill(server2.pid!, "SIGKILL");

    await page.getByText(/needs attention|need attention/).first().waitFor({ timeout: 20_000 });
    const started = await dragoman(["start", join(cluster.directory, "server2")]);
    assert.equal(started.exitCode, 0, started.stderr);
    await page.getByText("Everything runs").first().waitFor({ timeout: 20_000 });
  });

  it("has nothing to complain about", () => {
    assert.deepEqual(browser.complaints, []);
  });
});
