import type { StoredObject } from "../../catalog/kind.ts";
import type { BundleKey } from "../../odb/types.ts";
import { contentHash, hashObjects } from "../object-hashes.ts";
import { stateHash, statePartsOf } from "../state-hash.ts";
import type { Failure } from "./bundle-set.ts";
import type { ConfiguredMessage, InventoryQuestion, WorkerInventory } from "./protocol.ts";

interface Taken {
  readonly revision: number;
  readonly objects: Iterable<StoredObject>;
  readonly bundles: readonly BundleKey[];
  readonly bundleFailures: readonly Failure[];
  readonly objectFailures: readonly Failure[];
  readonly isWorn: boolean;
}

/** What a worker really runs, as it says when it has taken a state and when it is asked. */
export class RunningState {
  readonly #keyId: string;
  #objects: readonly StoredObject[] = [];
  #configured: ConfiguredMessage | undefined;

  /** `keyId` names the cluster key that the worker opens secrets with. */
  constructor(keyId: string) {
    this.#keyId = keyId;
  }

  /** Notes what became of a state. */
  take(
    { revision, objects, bundles, bundleFailures, objectFailures, isWorn }: Taken,
  ): ConfiguredMessage {
    const failed = new Set(objectFailures.map(({ kind, name }) => `${kind}/${name}`));
    this.#objects = [...objects].filter(({ kind, name }) => !failed.has(`${kind}/${name}`));
    const parts = statePartsOf({ objects: this.#objects, bundles, keyId: this.#keyId });
    const failures = [...bundleFailures, ...objectFailures];
    const said = { revision, stateHash: stateHash(parts), parts, bundles, failures, isWorn };
    this.#configured = { type: "configured", ...said };
    return this.#configured;
  }

  /** Everything that runs, the objects only when they are not those that should. */
  async inventory({ contentHash: wanted }: InventoryQuestion): Promise<WorkerInventory> {
    const { revision = 0, bundles = [], failures = [] } = this.#configured ?? {};
    const objects = await hashObjects(this.#objects);
    const isAsWanted = contentHash(objects) === wanted;
    const about = { revision, keyId: this.#keyId, bundles, failures };
    return isAsWanted ? about : { ...about, objects };
  }
}
