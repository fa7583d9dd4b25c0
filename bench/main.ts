/** Every benchmark, one after the other: `npm run bench`, or the names of some of them. */
import { benchBodies } from "./bodies.ts";
import { benchFeatures } from "./features.ts";
import { benchInvoke } from "./invoke.ts";
import { benchJobs } from "./jobs.ts";
import { benchRequestPath } from "./request-path.ts";
import { benchRouting } from "./routing.ts";

const benches: Readonly<Record<string, () => Promise<void>>> = {
  "request-path": benchRequestPath,
  "routing": benchRouting,
  "bodies": benchBodies,
  "features": benchFeatures,
  "invoke": benchInvoke,
  "jobs": benchJobs,
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
