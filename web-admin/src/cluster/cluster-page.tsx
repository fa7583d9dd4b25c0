import { useEffect } from "react";
import type { Overview } from "../../shared/overview.ts";
import type { SessionView } from "../../shared/session.ts";
import { shortTimestamp } from "../format.ts";
import { useLive } from "../live/live-context.tsx";
import { ClusterMap } from "../map/cluster-map.tsx";
import { Sparkline } from "../map/sparkline.tsx";
import { DeployPanel } from "../deploy/deploy-panel.tsx";
import { BalancerPanel } from "./balancer-panel.tsx";
import styles from "./cluster-page.module.css";
import { DependencyPanel } from "./dependency-panel.tsx";
import { ServerPanel } from "./server-panel.tsx";
import { VerdictPanel } from "./verdict.tsx";

/** Everything about one cluster at a glance, live. */
export function ClusterPage({ session }: { readonly session: SessionView }) {
  const { state: { overview, rates, phase, problem } } = useLive();
  useTitle(overview);
  if (overview === null) {
    const text = problem ?? (phase === "broken" ? "The console does not answer" : "Looking …");
    return <p className={styles["waiting"]} role="status">{text}</p>;
  }
  const isStale = phase === "broken";
  return (
    <div className={styles["page"]} data-stale={isStale}>
      <VerdictPanel overview={overview} />
      <section className={styles["map"]} aria-labelledby="map-title">
        <header>
          <h2 id="map-title">Cluster map</h2>
          <Sparkline values={rates} label="requests/s" />
        </header>
        <ClusterMap overview={overview} />
      </section>
      <BalancerPanel balancer={overview.balancer} />
      <ServerList overview={overview} />
      <div className={styles["pair"]}>
        <DependencyPanel id="odb" title="ODB" dependency={overview.odb} />
        <DependencyPanel id="kvdb" title="KVDB" dependency={overview.kvdb} />
      </div>
      <DeployPanel cluster={overview.cluster} session={session} />
      <footer className={styles["footer"]}>
        <span>Cluster {overview.cluster}, {overview.environment}</span>
        <span>Dragoman {overview.version}</span>
        <span>as of {shortTimestamp(overview.checkedAt)}</span>
        <span>seen by {session.username}</span>
      </footer>
    </div>
  );
}

function ServerList({ overview: { servers, revision } }: { readonly overview: Overview }) {
  const up = servers.filter(({ condition }) => condition === "up").length;
  return (
    <section id="servers" className={styles["servers"]} aria-labelledby="servers-title">
      <h2 id="servers-title">
        Servers{" "}
        <small>
          {up} of {servers.length} up{revision !== null && `, cluster revision ${revision}`}
        </small>
      </h2>
      <div className={styles["list"]}>
        {servers.map((server) => <ServerPanel key={server.name} server={server} />)}
      </div>
    </section>
  );
}

/** Tabs in the background say how many things need attention when they were last looked at. */
function useTitle(overview: Overview | null): void {
  const count = overview?.attention.length ?? 0;
  const name = overview?.cluster ?? "";
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ""}${name} · Dragoman`;
  }, [count, name]);
}
