export interface RedisConfig {
  readonly host: string;
  readonly port: number;
  readonly password: string | undefined;
  /** Where its data files are kept. */
  readonly directory: string;
}

/**
 * The text of the configuration file of a redis-server or valkey-server that runs as a child:
 * in the foreground, its log on standard output, every change appended to a file.
 */
export function renderRedisConfig({ host, port, password, directory }: RedisConfig): string {
  const lines = [
    `bind ${quote(host)}`,
    `port ${port}`,
    `dir ${quote(directory)}`,
    "daemonize no",
    "appendonly yes",
    "appendfsync everysec",
    'save ""',
  ];
  if (password !== undefined) lines.push(`requirepass ${quote(password)}`);
  return lines.join("\n") + "\n";
}

/** In double quotes, with everything that is not plain ASCII as `\xHH`. */
function quote(text: string): string {
  let quoted = "";
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    const isPlain = byte >= 0x20 && byte < 0x7f && character !== '"' && character !== "\\";
    quoted += isPlain ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${quoted}"`;
}
