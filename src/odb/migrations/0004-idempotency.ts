import type { ColumnTypes } from "../drivers/backend.ts";
import type { Migration } from "./migration.ts";

export const idempotency: Migration = {
  version: 4,
  name: "idempotency keys",
  needs: 1,
  statements: ({ types }) => [idempotencyKeyTable(types)],
};

// The key beside the primary one is there as an index: written so, every database makes it together
// with the table.
const idempotencyKeyTable = (t: ColumnTypes) =>
  `create table if not exists idempotency_key (
    cluster_id ${t.foreignId} not null,
    id char(64) not null,
    fingerprint char(64) not null,
    cid ${t.name} not null,
    server ${t.name} not null,
    incarnation ${t.name} not null,
    state varchar(16) not null,
    changed_at ${t.time} not null,
    status ${t.integer},
    headers ${t.text},
    body ${t.text},
    primary key (cluster_id, id),
    constraint idempotency_key_changed unique (cluster_id, changed_at, id),
    constraint idempotency_key_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;
