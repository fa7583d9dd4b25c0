import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogger } from "../../telemetry/logger.ts";
import { defineService, type Service } from "../define-service.ts";
import type { Facilities } from "../facilities.ts";
import { runService } from "../run-service.ts";
import { createFakeCall } from "./fake-call.ts";
import { StartedServices } from "./lifecycle.ts";
import { createRunnable } from "./runnable.ts";

function prepare() {
  const lines: string[] = [];
  const steps: string[] = [];
  const options = {
    server: "server-1",
    cluster: "test",
    logger: createLogger({ write: (line) => lines.push(line) }),
    facilities: {} as Facilities, // none of them is used here
  };
  const service = (name: string, more: Record<string, unknown> = {}): Service =>
    defineService({
      name,
      handle: () => Promise.resolve(steps.push("handle")),
      onStart: () => void steps.push(`start ${name}`),
      onStop: ({ signal }) => void steps.push(`stop ${name} ${signal.aborted}`),
      ...more,
    });
  return { lines, steps, options, service };
}

describe("The services of a file", () => {
  it("start in order and stop in the other one", async () => {
    const { steps, options, service } = prepare();

    const started = await StartedServices.start([service("a"), service("b")], options);
    await started.stop();
    await started.stop();

    assert.deepEqual(steps, ["start a", "start b", "stop b true", "stop a true"]);
  });

  it("stop again when one of them does not start", async () => {
    const { steps, options, service } = prepare();
    const onStart = () => Promise.reject(new Error("no licence"));

    await assert.rejects(
      StartedServices.start([service("a"), service("b", { onStart }), service("c")], options),
      {
        code: "SERVICE_START_FAILED",
        message: 'The service "b" could not be started: no licence',
      },
    );
    assert.deepEqual(steps, ["start a", "stop a true"]);
  });

  it("log what fails when they stop, and go on", async () => {
    const { lines, steps, options, service } = prepare();
    const onStop = () => Promise.reject(new Error("stuck"));

    const started = await StartedServices.start(
      [service("a"), service("b", { onStop })],
      options,
    );
    await started.stop();

    assert.deepEqual(steps, ["start a", "start b", "stop a true"]);
    assert.match(lines[0] ?? "", /The hook onStop failed.*"service":"b".*stuck/);
  });

  it("wait for their calls before they stop, though not for ever", async () => {
    const { steps, options, service } = prepare();
    let release = () => {};
    const held = service("held", {
      handle: () => new Promise<void>((resolve) => release = resolve),
    });
    const started = await StartedServices.start([held], options);
    const call = runService(createRunnable(held), {}, createFakeCall().call);

    const stopping = started.stop();
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(steps, ["start held"]);
    release();
    await Promise.all([call, stopping]);
    assert.deepEqual(steps, ["start held", "stop held true"]);

    const again = await StartedServices.start([held], options);
    void runService(createRunnable(held), {}, createFakeCall().call);
    await again.stop(1);
    assert.deepEqual(steps.slice(2), ["start held", "stop held true"]);
  });
});
