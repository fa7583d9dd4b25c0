/** One fact in a challenge's target information (MS-NLMP, 2.2.2.1). */
export interface AvPair {
  readonly id: number;
  readonly value: Buffer;
}

/** The ids that mean something to us. */
export const avId = { end: 0, flags: 6, timestamp: 7, targetName: 9 } as const;

/** Throws an Error for a list that is cut off. */
export function parseAvPairs(bytes: Buffer): readonly AvPair[] {
  const pairs: AvPair[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new Error("the challenge's target information is cut off");
    const id = bytes.readUInt16LE(at);
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (id === avId.end) break;
    if (end > bytes.length) throw new Error("the challenge's target information is cut off");
    const value = bytes.subarray(at + 4, end);
    if (id === avId.timestamp && value.length !== 8) {
      throw new Error("the server's time is no time");
    }
    pairs.push({ id, value });
    at = end;
  }
  return pairs;
}

export function renderAvPairs(pairs: readonly AvPair[]): Buffer {
  const parts = [...pairs, { id: avId.end, value: Buffer.alloc(0) }].flatMap(({ id, value }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id);
    head.writeUInt16LE(value.length, 2);
    return [head, value];
  });
  return Buffer.concat(parts);
}
