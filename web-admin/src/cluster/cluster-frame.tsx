import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { SessionView } from "../../shared/session.ts";
import { LiveProvider } from "../live/live-context.tsx";
import { useSignsOfLife } from "../live/signs-of-life.ts";
import { forgetSession } from "../session.ts";
import { Shell } from "../shell/shell.tsx";
import { Message } from "../ui/message.tsx";

/** What all pages of one cluster share: its overview, live, and the shell around them. */
export function ClusterFrame(
  { cluster, session, children }: {
    readonly cluster: string;
    readonly session: SessionView;
    readonly children: ReactNode;
  },
) {
  const navigate = useNavigate();
  const choice = session.clusters.find(({ name }) => name === cluster);
  const goToLogin = () => {
    forgetSession();
    void navigate({ to: "/login", search: { to: location.pathname, ended: true } });
  };
  useSignsOfLife();
  if (choice === undefined) return <Message title={`This console does not show "${cluster}"`} />;
  return (
    <LiveProvider cluster={cluster} onSessionEnd={goToLogin}>
      <Shell cluster={choice} session={session}>{children}</Shell>
    </LiveProvider>
  );
}
