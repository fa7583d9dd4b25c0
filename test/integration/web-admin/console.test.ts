import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import type { RunningComponent } from "../../../src/config/running-component.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { sampleBalanced } from "../../../web-admin/server/overview/sample-readings.ts";
import { runWebAdmin } from "../../../web-admin/server/run.ts";
import { createUser } from "../../../web-admin/server/users.ts";
import { type CannedCluster, startCannedCluster } from "./canned-cluster.ts";
import { type Chromium, startChromium } from "../../peers/chromium.ts";

const credentials = { username: "ana", password: "correct horse" };

/** What a browser itself writes when a login is refused, as it should be. */
const refusedLogin = /^Failed to load resource: the server responded with a status of 401/;

// The steps of one person's visit: each needs the ones before it.
describe("the console in a browser", () => {
  let cluster: CannedCluster;
  let running: RunningComponent;
  let browser: Chromium;
  let page: Page;
  let url: string;

  before(async () => {
    cluster = await startCannedCluster();
    url = cluster.webAdminUrl;
    await createUser(cluster.webAdmin, credentials);
    running = await runWebAdmin(cluster.webAdmin, { logger: silentLogger });
    const response = await fetch(url);
    assert.equal(response.status, 200, "The pages are missing: npm run build -w web-admin");
    browser = await startChromium();
    page = browser.page;
  });

  after(async () => {
    await browser?.stop();
    await running?.stop();
    await cluster?.stop();
  });

  async function logIn(password: string): Promise<void> {
    await page.getByLabel("Username").fill(credentials.username);
    await page.getByRole("textbox", { name: "Password" }).fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
  }

  const verdict = () => page.getByRole("heading", { level: 1 });

  it("asks a stranger to log in", async () => {
    await page.goto(`${url}/clusters/demo`);

    await page.getByRole("button", { name: "Log in" }).waitFor();
    assert.equal(await page.getByText("server1").count(), 0);
    assert.deepEqual(browser.complaints, []);
  });

  it("refuses a wrong password and stays on its page", async () => {
    await logIn("wrong horse");

    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.equal(await alert.textContent(), "Username or password is wrong.");
    assert.match(browser.complaints.splice(0).join(), refusedLogin);
  });

  it("shows the cluster, learnt from one admin API, after the right one", async () => {
    await logIn(credentials.password);

    await page.getByRole("heading", { level: 1, name: "Everything runs" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/clusters/demo");
    await page.getByText("Requests are served by server1 and server2").waitFor();
    for (const name of ["server1", "server2", "Balancer", "ODB", "KVDB"]) {
      await page.getByRole("region", { name, exact: true }).waitFor();
    }
    const workers = page.getByRole("table", { name: "Workers of server2" });
    assert.match(await workers.getByRole("row").nth(1).innerText(), /worker 0[\s\S]*90 MB/);
    await page.getByRole("button", { name: /^Live/ }).waitFor();
    await page.getByText("Development", { exact: false }).first().waitFor();
  });

  it("draws the map from what runs", async () => {
    const map = page.getByRole("group", { name: "Map of the cluster" });

    for (const node of ["Balancer: haproxy 2.6.12, 3 sessions", "server1: up, 1 worker"]) {
      await map.getByRole("link", { name: node }).waitFor();
    }
    await map.getByRole("link", { name: /^server2/ }).click();
    assert.equal(new URL(page.url()).hash, "#server-server2");
  });

  it("keeps its session in a cookie that neither scripts nor other sites get", async () => {
    const [cookie, ...others] = await browser.context.cookies();

    assert.deepEqual(others, []);
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, "Strict");
    assert.equal(cookie?.path, "/");
    assert.equal(await page.evaluate("document.cookie"), "");
  });

  it("shows a change without a reload", async () => {
    await page.evaluate("document.body.dataset.marked = 'yes'");
    const since = "2026-03-01T11:00:00.000Z";
    const odb = { state: "down", engine: "sqlite", address: "odb.db", since } as const;
    cluster.statuses.server1 = { ...cluster.statuses.server1, odb };

    await page.getByRole("heading", { level: 1, name: /ODB cannot be reached from server1/ })
      .waitFor();

    const item = page.getByRole("list", { name: "Needs attention" }).getByRole("listitem");
    assert.equal(await item.locator("time").getAttribute("title"), since);
    assert.equal(await page.evaluate("document.body.dataset.marked"), "yes");
    cluster.statuses.server1 = {
      ...cluster.statuses.server1,
      odb: { ...odb, state: "up" },
    };
    await page.getByRole("heading", { level: 1, name: "Everything runs" }).waitFor();
  });

  it("counts requests per second at the balancer", async () => {
    const { requestsTotal } = cluster.balancer;
    cluster.balancer = { ...cluster.balancer, requestsTotal: requestsTotal + 5_000 };

    const clients = page.locator('[data-node="clients"]');
    await clients.getByText(/^[1-9][\d,]* requests\/s$/).waitFor();
  });

  it("says which server does not answer, and why", async () => {
    await cluster.stopServer("server2");
    const down = sampleBalanced("server2", { state: "down", reason: "connection refused" });
    cluster.balancer = { ...cluster.balancer, servers: [sampleBalanced("server1"), down] };

    await page.getByRole("heading", { level: 1, name: /server2 does not answer/ }).waitFor();

    const panel = page.getByRole("region", { name: "server2", exact: true });
    await panel.getByText(/connection refused/).waitFor();
    await panel.getByText(/^unreachable/).waitFor();
    await page.getByText("Requests are served by server1", { exact: true }).waitFor();
    assert.equal(await page.title(), "(1) demo · Dragoman");
  });

  it("fits a telephone", async () => {
    await page.setViewportSize({ width: 390, height: 844 });

    await page.locator('[data-node="server1"]').waitFor();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390);
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  it("can be told to hold still, and says since when", async () => {
    await page.getByRole("button", { name: /pause live updates/ }).click();

    await page.getByText(/^Paused since \d\d:\d\d:\d\d/).waitFor();
    await page.getByRole("button", { name: /go on live updates/ }).click();
    await page.getByRole("button", { name: /^Live/ }).waitFor();
  });

  it("remembers dark colours over a reload", async () => {
    await page.getByRole("button", { name: "Switch to dark colours" }).click();
    await page.reload();

    await page.getByRole("button", { name: "Switch to light colours" }).waitFor();
    const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    assert.equal(background, "rgb(14, 17, 22)");
    await verdict().waitFor();
  });

  it("has complained of nothing so far", () => {
    assert.deepEqual(browser.complaints, []);
  });

  it("ignores what another site sends in the user's name", async () => {
    const attacker = createServer((_request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<form method="post" action="${url}/api/logout"><button>Win</button></form>`);
    }).listen(0, "localhost");
    await new Promise((resolve) => attacker.once("listening", resolve));
    const address = attacker.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const victim = await browser.context.newPage();
    await victim.goto(`http://localhost:${port}/`);

    const [response] = await Promise.all([
      victim.waitForResponse(`${url}/api/logout`),
      victim.getByRole("button").click(),
    ]);

    assert.equal(response.status(), 403);
    const session = await page.evaluate(async () => (await fetch("/api/session")).json());
    assert.equal(session.username, "ana");
    await victim.close();
    attacker.close();
  });

  it("says that it is not live while its server is gone, and comes back by itself", async () => {
    await running.stop();
    await page.getByText(/^No live data since \d\d:\d\d:\d\d/).waitFor();

    running = await runWebAdmin(cluster.webAdmin, { logger: silentLogger });

    await page.getByRole("button", { name: /^Live/ }).waitFor();
    assert.equal(await page.getByText(/^No live data since/).count(), 0);
    browser.complaints.length = 0; // refused connections, as they should be
  });

  it("kills the session at log out, for every tab", async () => {
    const [cookie] = await browser.context.cookies();
    const other = await browser.context.newPage();
    await other.goto(`${url}/clusters/demo`);
    await other.getByRole("button", { name: /^Live/ }).waitFor();
    await page.bringToFront();

    await page.getByRole("button", { name: /ana/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();

    await page.getByRole("button", { name: "Log in" }).waitFor();
    await other.bringToFront();
    await other.getByText("Your session has ended").waitFor();
    const overview = await fetch(`${url}/api/clusters/demo/overview`, {
      headers: { Cookie: `${cookie?.name}=${cookie?.value}` },
    });
    assert.equal(overview.status, 401);
    assert.deepEqual(browser.complaints, []);
  });
});
