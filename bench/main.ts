/** Every benchmark, one after the other: `npm run bench`, or the names of some of them. */
import { benchRequestPath } from "./request-path.ts";

const benches: Readonly<Record<string, () => Promise<void>>> = {
  "request-path": benchRequestPath,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in benches));
if (unknown !== undefined) {
  console.error(
    `There is no benchmark "${unknown}"; there are: ${Object.keys(benches).join(", ")}`,
  );
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) await benches[name]!();
process.exit(0);
