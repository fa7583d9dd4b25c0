import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import type { DeploymentView, JobDetail } from "../../src/admin-api/api.ts";
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

/** Chooses a file in the form, as the file dialog does. */
async function choose(name: string, text: string): Promise<void> {
  await page.locator("#deploy input[type=file]").setInputFiles({
    name,
    mimeType: "text/plain",
    buffer: Buffer.from(text),
  });
}

function pageSource(name: string): string {
  return `import { defineService } from "dragoman";
export const service = defineService({
  name: ${JSON.stringify(name)},
  handle: () => ({ answer: 1 }),
});
`;
}

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

  it("deploys a file, and shows every server's outcome", async () => {
    const deploy = page.getByRole("region", { name: "Deploy a file" });
    await choose("page.ts", pageSource("test.page"));
    await deploy.getByRole("button", { name: "Deploy", exact: true }).click();

    await deploy.getByText("page.ts is live at revision").waitFor({ timeout: 20_000 });
    const rows = deploy.getByRole("table", { name: "Outcome on every server" });
    assert.match(await rows.innerText(), /server1\s+live[^]*server2\s+live/);
    const list = await cluster.json<readonly DeploymentView[]>("deployment", "list");
    const row = list.find(({ file }) => file === "page.ts");
    assert.equal(row?.deployedBy, `web-admin/${cluster.webAdmin.username}`);
  });

  it("says where a file that cannot be deployed is wrong", async () => {
    const deploy = page.getByRole("region", { name: "Deploy a file" });
    const press = () => deploy.getByRole("button", { name: "Deploy", exact: true }).click();

    await choose("page.ts", `import x from "lodash";\n${pageSource("test.page")}x();\n`);
    await press();
    await deploy.getByText(/page\.ts:1:15: "lodash" cannot be imported/).waitFor();
    await choose("page.ts", `${pageSource("test.page")}throw new Error("no luck");\n`);
    await press();
    await deploy.getByText("page.ts was rejected").waitFor({ timeout: 20_000 });
    await deploy.getByText(/no luck \(page\.ts:6:/).first().waitFor();

    // The browser itself writes that the first one was answered with 400.
    assert.match(browser.complaints.splice(0).join(), /status of 400/);
  });

  it("lists jobs and leases, and says on the first page which job never runs", async () => {
    const job = (name: string, spec: Readonly<Record<string, unknown>>) =>
      JSON.stringify({ apiVersion: "dragoman/v1", kind: "Job", name, spec });
    const file = join(cluster.directory, "jobs.yaml");
    await writeFile(
      file,
      [
        job("books.close", { service: "demo.hello", cron: "0 3 * * *", timeZone: "Europe/Vienna" }),
        job("books.never", { service: "demo.hello", cron: "0 0 30 2 *" }),
      ].join("\n---\n"),
    );
    const applied = await cluster.run("apply", file);
    assert.equal(applied.exitCode, 0, applied.stderr);

    const attention = page.getByRole("list", { name: "Needs attention" });
    await attention.getByRole("link", { name: "Job books.never is active and will never run" })
      .waitFor({ timeout: 20_000 });
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    const jobs = page.getByRole("table", { name: "Jobs" });
    await jobs.getByRole("link", { name: "books.close" }).waitFor();
    assert.match(
      await jobs.innerText(),
      /0 3 \* \* \* in Europe\/Vienna\s+demo\.hello\s+active/,
    );
    const leases = page.getByRole("table", { name: "Leases" });
    assert.match(await leases.innerText(), /scheduler\s+held\s+server\d/);

    await page.getByLabel("Jobs in state").selectOption("alarm");
    await jobs.getByRole("link", { name: "books.close" }).waitFor({ state: "detached" });
    assert.match(await jobs.innerText(), /books\.never/);
    await page.getByLabel("Jobs in state").selectOption("");
  });

  it("runs, pauses and resumes a job, and says what it does next", async () => {
    await page.getByRole("link", { name: "books.close" }).click();
    await page.getByRole("heading", { name: "books.close" }).waitFor();
    const times = page.getByRole("list", { name: "Next times" }).getByRole("listitem");
    await times.first().waitFor();
    assert.equal(await times.count(), 5);

    await page.getByRole("button", { name: "Run now" }).click();
    const runs = page.getByRole("table", { name: "Runs" });
    await runs.getByText("ok", { exact: true }).waitFor({ timeout: 20_000 });
    assert.match(await runs.innerText(), /server\d[^]*web-admin\//);

    await page.getByRole("button", { name: "Pause job" }).click();
    await page.getByRole("button", { name: "Resume job" }).waitFor();
    await page.getByText(/is paused/).first().waitFor();
    await times.first().waitFor({ state: "detached" });
    const paused = await cluster.json<JobDetail>("job", "show", "books.close");
    assert.equal(paused.paused?.by, `web-admin/${cluster.webAdmin.username}`);
    await page.reload();
    await page.getByRole("button", { name: "Resume job" }).click();
    await page.getByRole("button", { name: "Pause job" }).waitFor();
    assert.equal((await cluster.json<JobDetail>("job", "show", "books.close")).paused, null);
  });

  it("shows jobs on a telephone, and why one cannot be shown", async () => {
    await page.getByRole("link", { name: "All jobs" }).click();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole("link", { name: "books.never" }).waitFor();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
    await page.setViewportSize({ width: 1280, height: 900 });

    await page.goto(`${new URL(page.url()).origin}${new URL(page.url()).pathname}?job=books.clse`);

    await page.getByText(/Job "books\.clse" does not exist, did you mean "books\.close"\?/)
      .waitFor();
    // The browser itself writes that it was answered with 404.
    assert.match(browser.complaints.splice(0).join(), /status of 404/);
  });

  it("has nothing to complain about", () => {
    assert.deepEqual(browser.complaints, []);
  });
});
