import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readMultipart } from "./multipart.ts";

const body = [
  "preamble",
  "--b",
  'Content-Disposition: form-data; name="a%22"',
  "",
  "one\r\n--ab\r\n-",
  "--b",
  'content-disposition: form-data; name=plain; filename="x\\"y"',
  "Content-Type: image/png",
  "",
  "",
  "--b--",
  "epilogue",
].join("\r\n");

async function parts(chunkSize: number): Promise<unknown> {
  const bytes = Buffer.from(body);
  async function* source() {
    for (let at = 0; at < bytes.length; at += chunkSize) yield bytes.subarray(at, at + chunkSize);
  }
  const found: { head: unknown; text: string }[] = [];
  await readMultipart(source(), "b", (head) => {
    let text = "";
    return {
      write: (chunk) => void (text += Buffer.from(chunk).toString()),
      end: () => void found.push({ head, text }),
    };
  });
  return found;
}

describe("readMultipart", () => {
  // Wherever the chunks of the network end, the parts are the same.
  for (const size of [1, 2, 3, 5, 7, 11, 64, 1_000]) {
    it(`takes a body apart that comes by ${size} bytes`, async () => {
      assert.deepEqual(await parts(size), [
        { head: { name: 'a"', fileName: undefined, type: "" }, text: "one\r\n--ab\r\n-" },
        { head: { name: "plain", fileName: 'x"y', type: "image/png" }, text: "" },
      ]);
    });
  }
});
