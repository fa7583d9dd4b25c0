import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { PlatformError } from "../../errors/platform-error.ts";

type ExtraLines = LoadBalancerConfig["lines"];

/** Words that begin a section of haproxy.cfg. */
const sectionWords = new Set([
  ...["global", "defaults", "frontend", "backend", "listen", "userlist", "resolvers", "peers"],
  ...["cache", "http-errors", "ring", "mailers", "fcgi-app", "log-forward", "program"],
]);

/** Sections that the agent writes itself, or that would start other programs. */
const refusedSections = new Set(["global", "defaults", "program"]);

/** What the agent needs in its own hands, and what would run other code in HAProxy's place. */
const refusedGlobals: readonly RegExp[] = [
  /^stats socket\b/,
  /^server-state-file\b/,
  /^(?:daemon|master-worker|mworker-max-reloads|nbproc|pidfile)\b/,
  /^(?:user|group|uid|gid|chroot|hard-stop-after|localpeer)\b/,
  /^(?:insecure-fork-wanted|insecure-setuid-wanted|external-check)\b/,
  /^(?:lua-load|lua-load-per-thread|lua-prepend-path|setenv|presetenv|unsetenv|resetenv)\b/,
  /^expose-experimental-directives\b/,
];

/** Words that say what a line is only together with the next one. */
const openingWords = new Set(["option", "stats"]);

/**
 * Checks lines that a person added, section by section, before HAProxy sees them: they may say
 * anything that HAProxy understands, but not leave their section, nor take HAProxy out of the
 * agent's hands. Throws BALANCER_BAD_LINES.
 */
export function checkExtraLines(
  lines: ExtraLines,
  { secret }: {
    /** The name of a variable that no line may speak of. */
    readonly secret: string;
  },
): void {
  for (const [section, all] of Object.entries(lines)) {
    let inside = section !== "sections";
    for (const line of all) {
      const reason = refusalOf(line, { section, inside, secret });
      if (reason !== undefined) {
        throw new PlatformError("BALANCER_BAD_LINES", { line, section, reason });
      }
      inside ||= sectionWords.has(wordsOf(line)[0] ?? "");
    }
  }
}

function refusalOf(
  line: string,
  { section, inside, secret }: {
    readonly section: string;
    readonly inside: boolean;
    readonly secret: string;
  },
): string | undefined {
  if (/\p{Cc}/u.test(line.replaceAll("\t", " "))) return "it holds a control character";
  if (line.includes(secret)) return "it would tell others what only servers may know";
  const words = wordsOf(line);
  const [first = "", second = ""] = words;
  if (first === "" || first.startsWith("#")) return undefined;
  // HAProxy would read another word than the one that stands there.
  const disguised = [first, openingWords.has(first) ? second : ""].find((word) =>
    /["'\\$]/.test(word)
  );
  if (disguised !== undefined) {
    return `"${disguised}" decides what the line does; write it without quotes, "\\" and "$"`;
  }
  if (first.startsWith(".")) return "conditions cannot begin a line";
  if (sectionWords.has(first)) {
    if (section !== "sections") return `it begins another section; put it into lines.sections`;
    if (refusedSections.has(first)) return `a section "${first}" cannot be added`;
  } else if (!inside) return "it stands before the first section";
  const text = words.join(" ");
  if (text.startsWith("option external-check")) return "it would run another program";
  if (section === "global" && refusedGlobals.some((pattern) => pattern.test(text))) {
    return "the agent needs it as it is";
  }
  return undefined;
}

/** Without what only turns the meaning of the others round. */
function wordsOf(line: string): readonly string[] {
  const words = line.trim().split(/\s+/);
  return words[0] === "no" || words[0] === "default" ? words.slice(1) : words;
}
