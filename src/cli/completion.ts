import { PlatformError } from "../errors/platform-error.ts";
import { didYouMean } from "../lib/nearest-name.ts";
import { type Command, flagName, type OptionSpec } from "./command.ts";

const shells = { bash: renderBash, zsh: renderZsh, fish: renderFish } as const;

/** A completion script for a shell. Throws CLI_USAGE for a shell that has none. */
export function renderCompletion(shell: string, commands: readonly Command[]): string {
  if (shell === "bash" || shell === "zsh" || shell === "fish") return shells[shell](commands);
  const names = Object.keys(shells);
  const hint = didYouMean(shell, names);
  throw new PlatformError("CLI_USAGE", {
    reason: `No completion for the shell "${shell}", only for ${names.join(", ")}${hint}`,
    command: "completion",
  });
}

/** Words that may follow a path, and for a whole path its flags. */
function words(path: string, commands: readonly Command[]): readonly string[] {
  const depth = path === "" ? 0 : path.split(" ").length;
  const next = commands.filter((command) => path === "" || command.path.startsWith(`${path} `))
    .map((command) => command.path.split(" ")[depth]!);
  const own = commands.find((command) => command.path === path);
  return [...new Set([...next, ...(own === undefined ? ["--help"] : flags(own))])];
}

function flags(command: Command): readonly string[] {
  const names = Object.keys(command.options).map((name) => `--${flagName(name)}`);
  return [...names, "--help", "--verbose"];
}

/** Every path and every beginning of one, the empty one included. */
function prefixes(commands: readonly Command[]): readonly string[] {
  const all = commands.flatMap(({ path }) => {
    const parts = path.split(" ");
    return parts.map((_, index) => parts.slice(0, index + 1).join(" "));
  });
  return ["", ...new Set(all)];
}

function choiceCases(commands: readonly Command[]): readonly string[] {
  const choices = new Map<string, Set<string>>();
  for (const command of commands) {
    for (const [name, spec] of Object.entries(command.options)) {
      if (spec.type !== "choice") continue;
      for (const flag of flagPatterns(name, spec)) {
        const known = choices.get(flag) ?? new Set();
        choices.set(flag, known);
        spec.choices.forEach((choice) => known.add(choice));
      }
    }
  }
  return [...choices].map(([flag, values]) =>
    `    ${flag}) COMPREPLY=($(compgen -W "${[...values].join(" ")}" -- "$current")); return ;;`
  );
}

function flagPatterns(name: string, spec: OptionSpec): readonly string[] {
  const long = `--${flagName(name)}`;
  return spec.short === undefined ? [long] : [long, `-${spec.short}`];
}

function renderBash(commands: readonly Command[]): string {
  const cases = prefixes(commands).map((path) =>
    `    "${path}") candidates="${words(path, commands).join(" ")}" ;;`
  );
  const paths = prefixes(commands).filter((path) => path !== "").map((path) => `"${path}"`);
  return `# bash completion of dragoman
_dragoman() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" word candidates="" index
  case "$previous" in
${choiceCases(commands).join("\n")}
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "\${path:+$path }$word" in
      ${paths.join("|")}) path="\${path:+$path }$word" ;;
      *) break ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 && "$current" != -* ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _dragoman dragoman ./dragoman
`;
}

// zsh runs bash completion functions, so there is one description of the words and not two.
function renderZsh(commands: readonly Command[]): string {
  return `#compdef dragoman
autoload -Uz +X bashcompinit && bashcompinit
${renderBash(commands)}`;
}

function renderFish(commands: readonly Command[]): string {
  const lines = prefixes(commands).flatMap((path) => {
    const condition = `__dragoman_at '${path}'`;
    const command = commands.find((candidate) => candidate.path === path);
    const options = Object.entries(command?.options ?? {}).map(([name, spec]) =>
      fishOption(condition, name, spec)
    );
    const next = words(path, commands).filter((word) => !word.startsWith("-"));
    return [...next.map((word) => `complete -c dragoman -n "${condition}" -a ${word}`), ...options];
  });
  return `# fish completion of dragoman
function __dragoman_at
  set -l words (commandline -opc)[2..]
  set -l named
  for word in $words
    string match -q -- '-*' $word; and break
    set -a named $word
  end
  set -l wanted (string split -n ' ' -- $argv[1])
  test "$named[1..(count $wanted)]" = "$wanted"; or return 1
  test (count $named) -ge (count $wanted)
end
${lines.join("\n")}
complete -c dragoman -l help -s h -d 'Show help'
`;
}

function fishOption(condition: string, name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
  const values = spec.type === "choice" ? ` -x -a '${spec.choices.join(" ")}'` : "";
  const value = spec.type === "flag" || spec.type === "choice" ? "" : " -r";
  const summary = spec.summary.replace(/'/g, "\\'");
  return `complete -c dragoman -n "${condition}" -l ${flagName(name)}${short}${value}${values}` +
    ` -d '${summary}'`;
}
