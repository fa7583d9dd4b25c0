const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** True for the canonical text of a signed 64-bit integer: no plus, no leading zeros, not `-0`. */
export function isInteger(text: string): boolean {
  if (text.length < 16) {
    const number = Number(text);
    return Number.isInteger(number) && String(number) === text;
  }
  if (text.length > 20 || !/^-?[1-9]\d*$/.test(text)) return false;
  const exact = BigInt(text);
  return exact >= int64Min && exact <= int64Max;
}

/** The sum of two such texts; undefined when it leaves the 64-bit range. */
export function addIntegers(a: string, b: string): string | undefined {
  if (a.length < 16 && b.length < 16) return String(Number(a) + Number(b));
  const sum = BigInt(a) + BigInt(b);
  return sum < int64Min || sum > int64Max ? undefined : sum.toString();
}

/** A number as C reads it; undefined for what it does not read whole, and for NaN. */
export function parseDouble(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite === null) return undefined;
  return infinite[1] === "-" ? -Infinity : Infinity;
}

/** A double as Redis 7.0 writes scores: 17 significant digits, without zeros at the end. */
export function formatDouble(number: number): string {
  if (Object.is(number, -0)) return "-0";
  if (Number.isInteger(number) && Math.abs(number) < 1e17) return String(number);
  if (!Number.isFinite(number)) return number > 0 ? "inf" : number < 0 ? "-inf" : "nan";
  const [mantissa = "", exponent] = number.toPrecision(17).split("e");
  if (exponent !== undefined) return trimZeros(mantissa) + "e" + padExponent(exponent);
  // JavaScript writes 0.000001 where C, from 1e-5 down, writes an exponent.
  if (Math.abs(number) >= 1e-4) return trimZeros(mantissa);
  const [digits = "", power = ""] = number.toExponential(16).split("e");
  return trimZeros(digits) + "e" + padExponent(power);
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function padExponent(exponent: string): string {
  return exponent[0] + exponent.slice(1).padStart(2, "0");
}

const decimals = 17;
/** Beyond this a decimal is not worth exact arithmetic, and larger than any counter. */
const exponentMax = 400;

/**
 * The exact sum of two decimal numbers with at most 17 digits after the point: 0.1 and 0.2 make
 * 0.3. Undefined when one of them is not a number of a sane size.
 */
export function addDecimals(a: string, b: string): string | undefined {
  const first = parseDecimal(a);
  const second = parseDecimal(b);
  if (first === undefined || second === undefined) return undefined;
  const sum = first + second;
  const digits = (sum < 0n ? -sum : sum).toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  const fraction = digits.slice(point).replace(/0+$/, "");
  const whole = digits.slice(0, point);
  return (sum < 0n ? "-" : "") + whole + (fraction === "" ? "" : "." + fraction);
}

/** As an integer that counts units of 10^-17. */
function parseDecimal(text: string): bigint | undefined {
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  if (parts === null || text.length > exponentMax) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts;
  if (whole + fraction === "" || Math.abs(Number(exponent)) > exponentMax) return undefined;
  const shift = decimals - fraction.length + Number(exponent);
  const units = BigInt(whole + fraction);
  const scaled = shift >= 0 ? units * 10n ** BigInt(shift) : divideRounded(units, -shift);
  return sign === "-" ? -scaled : scaled;
}

function divideRounded(units: bigint, digits: number): bigint {
  const divisor = 10n ** BigInt(digits);
  return (units + divisor / 2n) / divisor;
}
