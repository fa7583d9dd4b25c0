import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { renderCompletion } from "./completion.ts";
import { loadCommands } from "./registry.ts";

describe("Shell completion", () => {
  const complete = async (...words: readonly string[]) => {
    const script = renderCompletion("bash", await loadCommands(""));
    const line = words.map((word) => `"${word}"`).join(" ");
    const program = `${script}
COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _dragoman
printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", program], { encoding: "utf8" }).trim().split("\n");
  };

  it("of bash offers nouns, verbs, options and choices", async () => {
    assert.deepEqual(await complete("dragoman", "quick"), ["quickstart"]);
    assert.deepEqual(await complete("dragoman", "ca", ""), ["create", "list", "renew", "--help"]);
    assert.deepEqual(await complete("dragoman", "create", "server", "--http"), ["--http-port"]);
    assert.deepEqual(await complete("dragoman", "get", "-o", "j"), ["json"]);
    assert.deepEqual(await complete("dragoman", "create", "kvdb", "--engine", "e"), ["embedded"]);
  });

  it("of bash offers files where a word of the user's own is wanted", async () => {
    assert.deepEqual(await complete("dragoman", "start", "/etc/hostnam"), ["/etc/hostname"]);
  });

  it("of zsh and fish names every command and flag", async () => {
    const commands = await loadCommands("");
    const zsh = renderCompletion("zsh", commands);
    const fish = renderCompletion("fish", commands);

    assert.match(zsh, /^#compdef dragoman\n/);
    for (const { path } of commands) {
      const last = path.split(" ").at(-1)!;
      assert.ok(zsh.includes(`"${path}")`), path);
      assert.ok(fish.includes(` -a ${last}\n`), path);
    }
    assert.ok(fish.includes("-l http-port -r"));
  });
});
