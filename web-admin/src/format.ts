const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat("en", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

/** Shown where a number is not known. */
export const notKnown = "–";

export function formatCount(value: number): string {
  return integer.format(value);
}

/** Requests per second: one digit below 100, none above. */
export function formatRate(value: number | null): string {
  if (value === null) return notKnown;
  return value > 0 && value < 100 ? oneDigit.format(value) : integer.format(value);
}

export function formatMemory(bytes: number): string {
  const megabytes = bytes / 1_000_000;
  return megabytes < 1000
    ? `${integer.format(megabytes)} MB`
    : `${oneDigit.format(megabytes / 1000)} GB`;
}

export function formatMs(ms: number): string {
  return ms < 10 && ms > 0 ? `${oneDigit.format(ms)} ms` : `${integer.format(ms)} ms`;
}

/** An age in at most two units: `12 s`, `3 min`, `5 h 12 min`, `3 d 4 h`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return withRest(`${hours} h`, minutes % 60, "min");
  return withRest(`${Math.floor(hours / 24)} d`, hours % 24, "h");
}

/** The time of day of this browser: `14:03:07`. */
export function formatTime(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** An address without its scheme, for places where the scheme says nothing. */
export function shortAddress(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

function withRest(main: string, rest: number, unit: string): string {
  return rest === 0 ? main : `${main} ${rest} ${unit}`;
}

/** `2026-03-01 14:03:07 UTC`, for a page that may end up in a ticket. */
export function shortTimestamp(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
