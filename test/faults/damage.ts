import { Random } from "../simulation/random.ts";

/** One way in which a disk, a crash or a person has damaged a file. */
interface Damage {
  /** Such as `bit 3 of byte 1041 flipped`. */
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** What file systems write at once, and lose at once. */
const blockBytes = 4_096;

/**
 * The ways in which `file` can be damaged, each different from the whole: `bits` flipped bits and
 * overwritten stretches at places drawn from the seed, cut at every 4 kB and at odd places, blocks
 * of zeros, empty, garbage, written twice.
 */
export function damages(
  file: Uint8Array,
  { seed, bits }: { readonly seed: number; readonly bits: number },
): readonly Damage[] {
  const random = new Random(seed);
  const found: Damage[] = [
    { what: "empty", bytes: new Uint8Array() },
    { what: "written twice", bytes: Buffer.concat([file, file]) },
    { what: "one byte too many", bytes: Buffer.concat([file, Buffer.from("\n")]) },
    { what: "only zeros", bytes: new Uint8Array(file.length) },
    { what: "garbage", bytes: file.map(() => random.below(256)) },
  ];
  for (let n = 0; n < bits; n++) found.push(flipBit(file, random));
  for (let n = 0; n < bits / 4; n++) found.push(overwrite(file, random));
  for (let at = 0; at < file.length; at += blockBytes) {
    const zeroed = Uint8Array.from(file).fill(0, at, at + blockBytes);
    found.push({ what: `block at ${at} zeroed`, bytes: zeroed });
    if (at > 0) found.push({ what: `cut at ${at}`, bytes: file.slice(0, at) });
  }
  for (const at of [1, 63, 64, 65, 66, file.length - 1]) {
    found.push({ what: `cut at ${at}`, bytes: file.slice(0, at) });
  }
  return found.filter(({ bytes }) => !Buffer.from(bytes).equals(file));
}

function flipBit(file: Uint8Array, random: Random): Damage {
  const bytes = Uint8Array.from(file);
  const at = random.below(file.length);
  const bit = random.below(8);
  bytes[at] = bytes[at]! ^ (1 << bit);
  return { what: `bit ${bit} of byte ${at} flipped`, bytes };
}

function overwrite(file: Uint8Array, random: Random): Damage {
  const at = random.below(file.length);
  const length = 1 + random.below(64);
  const bytes = file.map((byte, index) =>
    index >= at && index < at + length ? random.below(256) : byte
  );
  return { what: `${length} bytes at ${at} overwritten`, bytes };
}
