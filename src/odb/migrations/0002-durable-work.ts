import type { ColumnTypes } from "../drivers/backend.ts";
import type { Migration } from "./migration.ts";

export const durableWork: Migration = {
  version: 2,
  name: "durable work",
  needs: 1,
  statements: ({ types }) => [invocationTable(types), clusterLockTable(types)],
};

// The two keys beside the primary one are there as indexes: written so, every database makes them
// together with the table.
const invocationTable = (t: ColumnTypes) =>
  `create table if not exists invocation (
    id varchar(40) not null primary key,
    cluster_id ${t.foreignId} not null,
    service ${t.name} not null,
    input ${t.text} not null,
    cid ${t.name} not null,
    state varchar(16) not null,
    attempts ${t.integer} not null,
    attempts_max ${t.integer} not null,
    retry_ms ${t.integer} not null,
    losses ${t.integer} not null,
    due_at ${t.time},
    claimed_by ${t.name},
    claim_epoch ${t.integer} not null,
    callback ${t.name},
    last_error ${t.text},
    output ${t.text},
    output_length ${t.integer},
    created_at ${t.time} not null,
    finished_at ${t.time},
    constraint invocation_due unique (cluster_id, due_at, id),
    constraint invocation_finished unique (cluster_id, finished_at, id),
    constraint invocation_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;

const clusterLockTable = (t: ColumnTypes) =>
  `create table if not exists cluster_lock (
    cluster_id ${t.foreignId} not null,
    name ${t.name} not null,
    owner ${t.name},
    token ${t.bigInteger} not null,
    expires_at ${t.time},
    primary key (cluster_id, name),
    constraint cluster_lock_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;
