/** The address that a component listens on. */
export const hostOption = {
  type: "text",
  value: "ADDRESS",
  default: "127.0.0.1",
  summary: "Address to listen on; 0.0.0.0 for every one of this machine",
} as const;

/** Whether a component is for development or for production. */
export const modeOption = {
  type: "choice",
  choices: ["development", "production"],
  default: "production",
  summary: "In development, answers say which server gave them",
} as const;

/** A port with its usual number. */
export function portOption<const N extends number>(summary: string, usual: N) {
  return {
    type: "integer",
    min: 1,
    max: 65_535,
    default: usual,
    value: "PORT",
    summary,
  } as const;
}
