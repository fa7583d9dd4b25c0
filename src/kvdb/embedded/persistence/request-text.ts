/** A request as clients send it and files keep it, as a byte string. */
export function renderRequest(args: readonly string[]): string {
  let text = `*${args.length}\r\n`;
  for (const arg of args) text += `$${arg.length}\r\n${arg}\r\n`;
  return text;
}
