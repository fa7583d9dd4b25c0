import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { findExecutable } from "../../src/lib/executables.ts";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// Text, because it runs in the page, whose globals this side does not have.
const reportPolicyViolations = `document.addEventListener("securitypolicyviolation", (event) => {
  console.error("content policy: " + event.violatedDirective + " " + event.blockedURI);
});`;

export interface Chromium {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Everything that went wrong in the pages: errors, and what the content policy stopped. */
  readonly complaints: string[];
  stop(): Promise<void>;
}

/** Starts a headless Chromium with a profile of its own. */
export async function startChromium(): Promise<Chromium> {
  const executablePath = findExecutable("chromium", "chromium-browser", "google-chrome");
  assert.ok(executablePath, "Chromium is missing: install the package chromium");
  const profile = await mkdtemp(join(tmpdir(), "chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: flags,
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
  });
  const complaints: string[] = [];
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  await context.addInitScript(reportPolicyViolations);
  return {
    context,
    page,
    complaints,
    async stop() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
