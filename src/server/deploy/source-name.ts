const pattern = /^[a-z0-9][a-z0-9._-]{0,150}\.(ts|mts|js|mjs)$/i;

/** Whether a base name can be that of a source file of services. */
export function isSourceName(name: string): boolean {
  return pattern.test(name) && !/\.d\.m?ts$/i.test(name);
}
