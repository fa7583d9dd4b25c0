import { Link } from "@tanstack/react-router";
import { type ReactNode } from "react";
import type { ClusterChoice, SessionView } from "../../shared/session.ts";
import { ClusterMenu } from "./cluster-menu.tsx";
import { ColorSchemeToggle } from "./color-scheme-toggle.tsx";
import { LiveBanner, LiveIndicator } from "./live-indicator.tsx";
import { Logo } from "./logo.tsx";
import styles from "./shell.module.css";
import { UserMenu } from "./user-menu.tsx";

const exact = { exact: true };

/** What stands around every page of a cluster: which one it is, whose, how fresh, and who asks. */
export function Shell(
  { cluster, session, children }: {
    readonly cluster: ClusterChoice;
    readonly session: SessionView;
    readonly children: ReactNode;
  },
) {
  return (
    <div data-environment={cluster.environment} className={styles["shell"]}>
      <a className={styles["skip"]} href="#content">Skip to the content</a>
      <header className={styles["header"]}>
        <div className={styles["bar"]}>
          <Logo size={26} />
          <span className={styles["product"]}>
            Dragoman <small>{session.version}</small>
          </span>
          <ClusterMenu cluster={cluster} clusters={session.clusters} />
          <span className={styles["environment"]}>{cluster.environment}</span>
          <nav className={styles["nav"]} aria-label="Pages of the cluster">
            <Link to="/clusters/$cluster" params={{ cluster: cluster.name }} activeOptions={exact}>
              Overview
            </Link>
            <Link to="/clusters/$cluster/jobs" params={{ cluster: cluster.name }} search={{}}>
              Jobs
            </Link>
          </nav>
          <span className={styles["space"]} />
          <LiveIndicator />
          <ColorSchemeToggle />
          <UserMenu username={session.username} />
        </div>
        <LiveBanner />
      </header>
      <main id="content" tabIndex={-1} className={styles["content"]}>{children}</main>
    </div>
  );
}
