import { QueryClient, queryOptions } from "@tanstack/react-query";
import type { SessionView } from "../shared/session.ts";
import { ApiError, getJson, postJson } from "./api.ts";

export const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false } },
});

/** Who is logged in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: loadSession,
  staleTime: Infinity,
});

export function loadSession(): Promise<SessionView | null> {
  return getJson<SessionView | null>("/api/session");
}

export async function logIn(username: string, password: string): Promise<void> {
  const session = await postJson<SessionView>("/api/login", { body: { username, password } });
  queryClient.setQueryData(sessionQuery.queryKey, session);
}

/** Ends the session on the server; a session that has ended already is fine. */
export async function logOut(): Promise<void> {
  const session = queryClient.getQueryData(sessionQuery.queryKey);
  try {
    if (session) await postJson("/api/logout", { csrfToken: session.csrfToken });
  } catch (error) {
    if (!(error instanceof ApiError && error.problem.status === 401)) throw error;
  }
  forgetSession();
}

export function forgetSession(): void {
  queryClient.clear();
}
