import type { CommandHost } from "../../command.ts";
import { redisVersion } from "../../version.ts";

type Facts = Readonly<Record<string, string | number>>;

const sections: Readonly<Record<string, (host: CommandHost) => Facts>> = {
  server: serverFacts,
  clients: clientFacts,
  memory: memoryFacts,
  persistence: persistenceFacts,
  stats: statsFacts,
  replication: () => ({ role: "master", connected_slaves: 0, master_repl_offset: 0 }),
  cpu: cpuFacts,
  keyspace: keyspaceFacts,
};

/** The text of INFO: all sections, or those named. */
export function renderInfo(host: CommandHost, names: readonly string[]): string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const everything = wanted.size === 0 ||
    ["all", "default", "everything"].some((name) => wanted.has(name));
  return Object.entries(sections)
    .filter(([name]) => everything || wanted.has(name))
    .map(([name, facts]) => renderSection(name, facts(host)))
    .join("\r\n");
}

function renderSection(name: string, facts: Facts): string {
  const title = name === "cpu" ? "CPU" : name[0]!.toUpperCase() + name.slice(1);
  const lines = Object.entries(facts).map(([key, value]) => `${key}:${value}\r\n`);
  return `# ${title}\r\n${lines.join("")}`;
}

function serverFacts({ startedAtMs }: CommandHost): Facts {
  const uptime = Math.floor((Date.now() - startedAtMs) / 1000);
  return {
    redis_version: redisVersion,
    server_name: "dragoman-kvdb",
    redis_mode: "standalone",
    os: process.platform,
    arch_bits: 64,
    process_id: process.pid,
    uptime_in_seconds: uptime,
    uptime_in_days: Math.floor(uptime / 86_400),
  };
}

function clientFacts({ sessions, settings, blocked }: CommandHost): Facts {
  return {
    connected_clients: sessions.size,
    maxclients: settings.get("maxclients"),
    blocked_clients: blocked.count,
  };
}

function memoryFacts(): Facts {
  const { heapUsed, rss } = process.memoryUsage();
  return {
    used_memory: heapUsed,
    used_memory_human: human(heapUsed),
    used_memory_rss: rss,
    used_memory_rss_human: human(rss),
    maxmemory: 0,
    maxmemory_human: "0B",
    maxmemory_policy: "noeviction",
  };
}

function human(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(2)}M`;
}

function persistenceFacts({ journal }: CommandHost): Facts {
  return {
    loading: 0,
    rdb_changes_since_last_save: 0,
    rdb_bgsave_in_progress: 0,
    aof_enabled: journal === undefined ? 0 : 1,
    aof_rewrite_in_progress: 0,
    aof_last_write_status: journal?.failure === undefined ? "ok" : "err",
    ...(journal === undefined
      ? {}
      : { aof_current_size: journal.sizeBytes, aof_base_size: journal.baseBytes }),
  };
}

function statsFacts({ counters, pubsub }: CommandHost): Facts {
  return {
    total_connections_received: counters.connections,
    total_commands_processed: counters.commands,
    rejected_connections: counters.refused,
    expired_keys: counters.expired,
    evicted_keys: 0,
    pubsub_channels: pubsub.channelNames.length,
    pubsub_patterns: pubsub.patternCount,
    total_error_replies: counters.errors,
  };
}

function cpuFacts(): Facts {
  const { user, system } = process.cpuUsage();
  return {
    used_cpu_sys: (system / 1e6).toFixed(6),
    used_cpu_user: (user / 1e6).toFixed(6),
  };
}

function keyspaceFacts({ databases }: CommandHost): Facts {
  const used = databases.filter((database) => database.size > 0);
  return Object.fromEntries(used.map((database) => {
    return [`db${database.index}`, `keys=${database.size},expires=${database.expiringSize}`];
  }));
}
