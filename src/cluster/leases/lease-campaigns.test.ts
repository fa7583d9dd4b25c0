import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LeaseCampaigns, type LeaseCommand, type LeaseView } from "./lease-campaigns.ts";
import { preferredServer } from "./lease-placement.ts";
import { patientLeaseTiming } from "./lease-timing.ts";

const { steadyMs, rebalanceMs, ttlMs, marginMs } = patientLeaseTiming;
const holder = { server: "server-1", incarnation: "a" };
const other = { server: "server-2", incarnation: "b" };

function campaigns(...names: string[]) {
  const told: string[] = [];
  const machine = new LeaseCampaigns({
    holder,
    timing: patientLeaseTiming,
    random: () => 0.5,
    onHeld: ({ name, epoch }) => told.push(`held ${name} ${epoch}`),
    onLost: ({ name, epoch }, reason) => told.push(`lost ${name} ${epoch}: ${reason}`),
  });
  for (const name of names) machine.add(name);
  return { machine, told };
}

function commandsAt(machine: LeaseCampaigns, now: number): LeaseCommand[] {
  const commands: LeaseCommand[] = [];
  for (let next = machine.next(now); next !== undefined; next = machine.next(now)) {
    commands.push(next);
  }
  return commands;
}

/** Gets all leases that are free, at one moment. */
function takeAll(machine: LeaseCampaigns, now: number, servers: LeaseView["servers"]): void {
  commandsAt(machine, now);
  machine.looked({ rows: [], servers }, now);
  const later = now + patientLeaseTiming.yieldMs;
  for (const command of commandsAt(machine, later)) {
    if (command.do !== "acquire") continue;
    machine.acquired(command.name, 1, { sentAt: later, now: later });
  }
}

/** Names of leases whose preferred of both servers is the given one. */
function leasesOf(server: string, count: number): string[] {
  const names = Array.from({ length: 100 }, (_, index) => `lease-${index}`);
  const isTheirs = (name: string) =>
    preferredServer(name, [holder.server, other.server]) === server;
  return names.filter(isTheirs).slice(0, count);
}

describe("Campaigns for leases", () => {
  it("look first, and ask only for what is free", () => {
    const { machine, told } = campaigns("scheduler", "channel");

    assert.deepEqual(commandsAt(machine, 0), [{ do: "look" }]);
    machine.looked({
      rows: [{ name: "channel", state: "held", epoch: 4, expiresInMs: 900, ...other }],
      servers: [holder],
    }, 5);

    assert.deepEqual(commandsAt(machine, 5), [{ do: "acquire", name: "scheduler" }]);
    machine.acquired("scheduler", 1, { sentAt: 5, now: 8 });
    assert.deepEqual(told, ["held scheduler 1"]);
    assert.deepEqual(machine.heldAt(8), [{ name: "scheduler", epoch: 1 }]);
  });

  it("look again at the moment when a lease that they lack is over", () => {
    const { machine } = campaigns("scheduler");
    commandsAt(machine, 0);

    machine.looked({
      rows: [{ name: "scheduler", state: "held", epoch: 4, expiresInMs: 120, ...other }],
      servers: [holder],
    }, 5);

    assert.deepEqual(commandsAt(machine, 120), []);
    assert.equal(machine.wakeAt(), 126);
    assert.deepEqual(commandsAt(machine, 126), [{ do: "look" }]);
  });

  it("renew everything with one question", () => {
    const { machine } = campaigns("a", "b", "c");
    takeAll(machine, 0, [holder]);

    const renewals = commandsAt(machine, 3_000).filter((command) => command.do === "renew");

    const leases = ["a", "b", "c"].map((name) => ({ name, epoch: 1 }));
    assert.deepEqual(renewals, [{ do: "renew", leases }]);
  });

  it("say once that a lease is lost when no answer comes, and not when it comes at last", () => {
    const { machine, told } = campaigns("a");
    takeAll(machine, 0, [holder]);
    const end = patientLeaseTiming.yieldMs + ttlMs - marginMs;
    assert.ok(machine.wakeAt() < end);
    commandsAt(machine, 3_000);
    commandsAt(machine, end - 1);
    assert.equal(told.length, 1);

    commandsAt(machine, end);
    machine.renewed([{ name: "a", epoch: 1 }], ["a"], { sentAt: 3_000, now: end + 1 });

    assert.deepEqual(told, ["held a 1", "lost a 1: unconfirmed"]);
    assert.equal(machine.termAt("a", end + 1), undefined);
  });

  it("wake up in time to say that a lease is lost, whatever is still unanswered", () => {
    const { machine, told } = campaigns("a");
    takeAll(machine, 0, [holder]);
    const end = patientLeaseTiming.yieldMs + ttlMs - marginMs;

    let steps = 0;
    for (let now = 400; now < end; now = machine.wakeAt()) {
      commandsAt(machine, now);
      assert.ok(machine.wakeAt() > now, "it would ask for ever in the same moment");
      steps += 1;
    }
    commandsAt(machine, end);

    assert.deepEqual(told.at(-1), "lost a 1: unconfirmed");
    assert.ok(steps < 20);
  });

  it("give a lease up and release it when it is not wanted any more", () => {
    const { machine, told } = campaigns("a");
    takeAll(machine, 0, [holder]);

    machine.remove("a", 1_000);

    assert.deepEqual(told.at(-1), "lost a 1: withdrawn");
    const released = { do: "release", lease: { name: "a", epoch: 1 }, end: "released" };
    assert.deepEqual(commandsAt(machine, 1_000), [released]);
  });

  it("back off while the ODB is away, to no more than 2 s", () => {
    const { machine } = campaigns("a");
    const waits: number[] = [];
    let now = 0;
    for (let round = 0; round < 8; round++) {
      const [command] = commandsAt(machine, now);
      machine.failed(command!, now);
      waits.push(machine.wakeAt() - now);
      now = machine.wakeAt();
    }

    assert.ok(waits[0]! <= 400);
    assert.ok(Math.max(...waits) <= 2_000);
    assert.ok(waits.at(-1)! >= 1_000);
  });
});

describe("Leases of several servers", () => {
  const theirs = leasesOf(other.server, 3);
  const ours = leasesOf(holder.server, 2);
  const seen = { rows: [], servers: [holder, other] };

  it("are taken at once by the preferred server, and by others only after a while", () => {
    const { machine } = campaigns(...ours, ...theirs);
    commandsAt(machine, 0);
    machine.looked(seen, 0);

    const asked = (now: number) =>
      commandsAt(machine, now).flatMap((command) => command.do === "acquire" ? command.name : []);

    assert.deepEqual(asked(0), ours);
    assert.deepEqual(asked(patientLeaseTiming.yieldMs), theirs);
  });

  it("are handed to the preferred server when it has been up for long, one at a time", () => {
    const { machine, told } = campaigns(...ours, ...theirs);
    takeAll(machine, 0, [holder]);
    const until = (end: number, from: number) => {
      for (let now = from; now < end; now += 1_000) {
        const held = [...machine.heldAt(now)];
        for (const command of commandsAt(machine, now)) {
          if (command.do === "look") machine.looked(seen, now);
          if (command.do === "release") machine.released(command.lease);
        }
        machine.renewed(held, held.map(({ name }) => name), { sentAt: now, now });
      }
    };
    const handed = () => told.filter((line) => line.endsWith("rebalanced"));

    until(steadyMs, 1_000);
    assert.deepEqual(handed(), []);
    until(steadyMs + 5_000, steadyMs);
    assert.deepEqual(handed().length, 1);
    until(steadyMs + 5 * rebalanceMs, steadyMs + 5_000);

    assert.deepEqual(handed(), theirs.map((name) => `lost ${name} 1: rebalanced`));
    const kept = machine.heldAt(steadyMs + 5 * rebalanceMs - 1_000).map(({ name }) => name);
    assert.deepEqual(kept, ours.toSorted());
  });

  it("are not waited for when the server that just left is the preferred one", () => {
    const [name] = theirs;
    const { machine } = campaigns(name!);
    commandsAt(machine, 0);

    machine.looked({
      ...seen,
      rows: [{ name: name!, state: "free", epoch: 1, expiresInMs: 0, ...other }],
    }, 0);

    assert.deepEqual(commandsAt(machine, 0), [{ do: "acquire", name }]);
  });
});
