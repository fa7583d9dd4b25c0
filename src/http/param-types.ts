/**
 * Types that a part of a path may have, `{id:int}`, from the narrowest to the widest: where a text
 * fits several, the channel of the narrowest gets the request.
 */
export const paramTypes = ["bool", "int", "uuid", "date", "number", "word"] as const;

export type ParamType = typeof paramTypes[number];

const patterns: Readonly<Record<ParamType, RegExp>> = {
  bool: /^(?:true|false)$/,
  int: /^-?\d{1,15}$/,
  uuid: /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i,
  date: /^\d{4}-\d\d-\d\d$/,
  number: /^-?\d{1,15}(?:\.\d{1,15})?$/,
  word: /^[\w-]+$/,
};

/** Whether a decoded part of a path is of a type. */
export function fitsParam(type: ParamType, text: string): boolean {
  return patterns[type].test(text) && (type !== "date" || isDay(text));
}

/** The 30th of February looks like a date. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
