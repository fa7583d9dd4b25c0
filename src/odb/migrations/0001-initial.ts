import type { ColumnTypes } from "../drivers/backend.ts";
import type { Migration } from "./migration.ts";

export const initial: Migration = {
  version: 1,
  name: "initial",
  needs: 1,
  statements: ({ types }) => [
    clusterTable(types),
    objectTable(types),
    ...deploymentTables(types),
    objectReferenceTable(types),
    objectHistoryTable(types),
    serverTable(types),
    ...(types.indexesForeignKeys ? [] : foreignKeyIndexes),
  ],
};

const clusterTable = (t: ColumnTypes) =>
  `create table if not exists cluster (
    id ${t.id},
    name ${t.name} not null unique,
    revision ${t.integer} not null,
    key_check ${t.text} not null,
    created_at ${t.time} not null
  ) ${t.tableOptions}`;

const objectTable = (t: ColumnTypes) =>
  `create table if not exists object (
    id ${t.id},
    cluster_id ${t.foreignId} not null,
    kind ${t.name} not null,
    name ${t.name} not null,
    spec ${t.text} not null,
    revision ${t.integer} not null,
    created_at ${t.time} not null,
    created_by ${t.name} not null,
    updated_at ${t.time} not null,
    updated_by ${t.name} not null,
    constraint object_key unique (cluster_id, kind, name),
    constraint object_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;

const deploymentTables = (t: ColumnTypes) => [
  `create table if not exists bundle (
    id ${t.id},
    cluster_id ${t.foreignId} not null,
    file ${t.name} not null,
    hash char(64) not null,
    code ${t.text} not null,
    source_map ${t.text} not null,
    created_at ${t.time} not null,
    created_by ${t.name} not null,
    constraint bundle_key unique (cluster_id, hash, file),
    constraint bundle_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`,
  `create table if not exists deployment (
    id ${t.id},
    cluster_id ${t.foreignId} not null,
    file ${t.name} not null,
    revision ${t.integer} not null,
    bundle_id ${t.foreignId} not null,
    services ${t.text} not null,
    deployed_at ${t.time} not null,
    deployed_by ${t.name} not null,
    removed_at ${t.time},
    removed_by ${t.name},
    constraint deployment_key unique (cluster_id, file, revision),
    constraint deployment_cluster foreign key (cluster_id) references cluster (id),
    constraint deployment_bundle foreign key (bundle_id) references bundle (id)
  ) ${t.tableOptions}`,
  `create table if not exists deployed_file (
    cluster_id ${t.foreignId} not null,
    file ${t.name} not null,
    deployment_id ${t.foreignId} not null,
    primary key (cluster_id, file),
    constraint deployed_file_cluster foreign key (cluster_id) references cluster (id),
    constraint deployed_file_deployment foreign key (deployment_id) references deployment (id)
  ) ${t.tableOptions}`,
  `create table if not exists service (
    id ${t.id},
    cluster_id ${t.foreignId} not null,
    name ${t.name} not null,
    deployment_id ${t.foreignId} not null,
    description ${t.text} not null,
    input_schema ${t.text},
    output_schema ${t.text},
    constraint service_key unique (cluster_id, name),
    constraint service_cluster foreign key (cluster_id) references cluster (id),
    constraint service_deployment foreign key (deployment_id) references deployment (id)
  ) ${t.tableOptions}`,
];

const objectReferenceTable = (t: ColumnTypes) =>
  `create table if not exists object_reference (
    object_id ${t.foreignId} not null,
    field ${t.name} not null,
    target_object_id ${t.foreignId},
    target_service_id ${t.foreignId},
    constraint object_reference_source foreign key (object_id)
      references object (id) on delete cascade,
    constraint object_reference_object foreign key (target_object_id)
      references object (id) on delete restrict,
    constraint object_reference_service foreign key (target_service_id)
      references service (id) on delete restrict,
    constraint object_reference_target
      check ((target_object_id is null) <> (target_service_id is null))
  ) ${t.tableOptions}`;

const objectHistoryTable = (t: ColumnTypes) =>
  `create table if not exists object_history (
    cluster_id ${t.foreignId} not null,
    kind ${t.name} not null,
    name ${t.name} not null,
    revision ${t.integer} not null,
    cluster_revision ${t.integer} not null,
    action ${t.name} not null,
    spec ${t.text} not null,
    changed_at ${t.time} not null,
    changed_by ${t.name} not null,
    primary key (cluster_id, kind, name, revision),
    constraint object_history_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;

const serverTable = (t: ColumnTypes) =>
  `create table if not exists server (
    cluster_id ${t.foreignId} not null,
    name ${t.name} not null,
    state ${t.name} not null,
    url ${t.text} not null,
    admin_url ${t.text} not null,
    version ${t.name} not null,
    started_at ${t.time} not null,
    revision ${t.integer} not null,
    state_hash ${t.name} not null,
    failures ${t.text} not null,
    last_seen_at ${t.time} not null,
    primary key (cluster_id, name),
    constraint server_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;

const foreignKeyIndexes = [
  ["deployment", "bundle_id"],
  ["deployed_file", "deployment_id"],
  ["service", "deployment_id"],
  ["object_reference", "object_id"],
  ["object_reference", "target_object_id"],
  ["object_reference", "target_service_id"],
].map(([table, column]) => `create index if not exists ${table}_${column} on ${table} (${column})`);
