import {
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { ClusterFrame } from "./cluster/cluster-frame.tsx";
import { ClusterPage } from "./cluster/cluster-page.tsx";
import { JobPage } from "./jobs/job-page.tsx";
import { JobsPage, type JobsSearch, readJobsSearch } from "./jobs/jobs-page.tsx";
import { LoginPage } from "./login/login-page.tsx";
import { queryClient, sessionQuery } from "./session.ts";
import { Message } from "./ui/message.tsx";

const rootRoute = createRootRoute({
  component: Outlet,
  notFoundComponent: () => <Message title="There is no such page" detail={location.pathname} />,
  errorComponent: ({ error }) => (
    <Message
      title="This page failed"
      detail={error instanceof Error ? error.message : String(error)}
    />
  ),
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  component: LoginPage,
  validateSearch: (search: Record<string, unknown>): { to?: string; ended?: boolean } => ({
    ...(isClusterPath(search["to"]) ? { to: search["to"] } : {}),
    ...(search["ended"] === true ? { ended: true } : {}),
  }),
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  async beforeLoad() {
    const session = await queryClient.ensureQueryData(sessionQuery);
    const [first] = session?.clusters ?? [];
    if (first === undefined) throw redirect({ to: "/login" });
    throw redirect({ to: "/clusters/$cluster", params: { cluster: first.name } });
  },
});

const clusterRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/clusters/$cluster",
  component: ClusterLayout,
  async beforeLoad({ location }) {
    const session = await queryClient.ensureQueryData(sessionQuery);
    if (session === null) throw redirect({ to: "/login", search: { to: location.pathname } });
    return { session };
  },
});

function ClusterLayout() {
  const { cluster } = clusterRoute.useParams();
  const { session } = clusterRoute.useRouteContext();
  return (
    <ClusterFrame key={cluster} cluster={cluster} session={session}>
      <Outlet />
    </ClusterFrame>
  );
}

const overviewRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/",
  component: () => <ClusterPage session={clusterRoute.useRouteContext().session} />,
});

const jobsRoute = createRoute({
  getParentRoute: () => clusterRoute,
  path: "jobs",
  component: JobsRoute,
  validateSearch: (search: Record<string, unknown>): JobsSearch => readJobsSearch(search),
});

function JobsRoute() {
  const { cluster } = clusterRoute.useParams();
  const { session } = clusterRoute.useRouteContext();
  const search = jobsRoute.useSearch();
  return search.job === undefined
    ? <JobsPage cluster={cluster} search={search} />
    : <JobPage key={search.job} cluster={cluster} job={search.job} session={session} />;
}

// Only a page of ours: a crafted link must not send people elsewhere after they logged in.
function isClusterPath(value: unknown): value is string {
  return typeof value === "string" && /^\/clusters\/[a-z0-9-]+(\/jobs)?$/i.test(value);
}

/** Every page of the console. */
export const router = createRouter({
  routeTree: rootRoute.addChildren([
    loginRoute,
    homeRoute,
    clusterRoute.addChildren([overviewRoute, jobsRoute]),
  ]),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
