import type { ColumnTypes } from "../drivers/backend.ts";
import type { Migration } from "./migration.ts";

export const leasesAndJobs: Migration = {
  version: 3,
  name: "leases and jobs",
  needs: 1,
  statements: ({ types, addColumn }) => [
    ...addColumn("server", "incarnation", `${types.name} not null default ''`),
    ...addColumn("server", "details", types.text),
    "update server set state = 'joining' where state = 'starting'",
    leaseTable(types),
    leaseTermTable(types),
    jobProgressTable(types),
    jobRunTable(types),
  ],
};

const leaseTable = (t: ColumnTypes) =>
  `create table if not exists lease (
    cluster_id ${t.foreignId} not null,
    name ${t.name} not null,
    server ${t.name} not null,
    incarnation ${t.name} not null,
    epoch ${t.bigInteger} not null,
    acquired_at ${t.time} not null,
    expires_at ${t.time},
    primary key (cluster_id, name),
    constraint lease_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;

// Keys beside the primary one are there as indexes: written so, every database makes them together
// with the table.
const leaseTermTable = (t: ColumnTypes) =>
  `create table if not exists lease_term (
    cluster_id ${t.foreignId} not null,
    name ${t.name} not null,
    epoch ${t.bigInteger} not null,
    server ${t.name} not null,
    incarnation ${t.name} not null,
    started_at ${t.time} not null,
    ended_at ${t.time},
    ending varchar(16),
    primary key (cluster_id, name, epoch),
    constraint lease_term_started unique (cluster_id, started_at, name, epoch),
    constraint lease_term_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;

const jobProgressTable = (t: ColumnTypes) =>
  `create table if not exists job_progress (
    cluster_id ${t.foreignId} not null,
    job ${t.name} not null,
    schedule_hash ${t.name} not null,
    planned_until ${t.time} not null,
    planned_count ${t.bigInteger} not null,
    next_at ${t.time},
    paused_by ${t.name},
    paused_at ${t.time},
    version ${t.bigInteger} not null,
    primary key (cluster_id, job),
    constraint job_progress_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;

const jobRunTable = (t: ColumnTypes) =>
  `create table if not exists job_run (
    id varchar(40) not null primary key,
    cluster_id ${t.foreignId} not null,
    job ${t.name} not null,
    planned_at ${t.time} not null,
    attempt ${t.integer} not null,
    due_at ${t.time} not null,
    run_trigger varchar(16) not null,
    state varchar(16) not null,
    reason ${t.text},
    service ${t.name} not null,
    input ${t.text} not null,
    terms ${t.text} not null,
    overlap varchar(16) not null,
    wake_at ${t.time},
    open_job ${t.name},
    exclusive_job ${t.name},
    server ${t.name},
    incarnation ${t.name},
    claim_epoch ${t.integer} not null,
    planner_epoch ${t.bigInteger} not null,
    cancel_reason ${t.text},
    requested_by ${t.name},
    started_at ${t.time},
    finished_at ${t.time},
    output ${t.text},
    output_length ${t.integer},
    constraint job_run_time unique (cluster_id, job, planned_at, attempt),
    constraint job_run_exclusive unique (cluster_id, exclusive_job),
    constraint job_run_wake unique (cluster_id, wake_at, id),
    constraint job_run_open unique (cluster_id, open_job, wake_at, id),
    constraint job_run_state unique (cluster_id, state, planned_at, id),
    constraint job_run_cluster foreign key (cluster_id) references cluster (id)
  ) ${t.tableOptions}`;
