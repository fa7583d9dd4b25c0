import { PlatformError } from "../errors/platform-error.ts";
import type { SecuredMessage } from "../security/authenticator.ts";
import type { Guard } from "../security/guard.ts";
import type { Principal } from "../security/principal.ts";
import type { Exchange } from "./exchange.ts";
import type { Route } from "./route.ts";

/**
 * Lets a request in, or not: rate limits, security, then the start of its time. Once is enough:
 * who is in is not asked again. Returns a promise only where a check must wait. Throws, or rejects
 * with, REQUEST_UNAUTHORIZED, REQUEST_FORBIDDEN, REQUEST_RATE and what the guard throws.
 */
export function admit(exchange: Exchange, route: Route): void | Promise<void> {
  if (exchange.isAdmitted) return;
  exchange.isAdmitted = true;
  return route.limits === undefined
    ? authenticate(exchange, route)
    : withinLimits(exchange, route, authenticate);
}

function authenticate(exchange: Exchange, route: Route): void | Promise<void> {
  const { guard } = route;
  if (guard !== undefined) {
    const checking = guard.check(exchange);
    if (checking instanceof Promise) return checking.then((one) => enter(exchange, route, one));
    return enter(exchange, route, checking);
  }
  exchange.startDeadline();
}

/**
 * As `admit`, for a protocol whose messages may carry credentials: whoever is not known by the
 * head of the request is let in so far as to send the message, on which `admitMessage` decides.
 */
export function admitHead(exchange: Exchange, route: Route): void | Promise<void> {
  if (route.guard?.needsMessage !== true) return admit(exchange, route);
  return route.limits === undefined
    ? authenticateHead(exchange, route)
    : withinLimits(exchange, route, authenticateHead);
}

function authenticateHead(exchange: Exchange, route: Route): void | Promise<void> {
  const checking = route.guard!.check(exchange); // admitHead asks it
  if (checking instanceof Promise) return checking.then((one) => enterHead(exchange, route, one));
  return enterHead(exchange, route, checking);
}

/**
 * Counts a request against the route's rate limits, before and after `check` has found out who
 * sends it. Rejects with REQUEST_RATE and what `check` throws.
 */
export async function withinLimits(
  exchange: Exchange,
  route: Route,
  check: (exchange: Exchange, route: Route) => void | Promise<void>,
): Promise<void> {
  const { before, after } = route.limits ?? { before: [], after: [] };
  for (const limiter of before) await limiter.admit(exchange);
  await check(exchange, route);
  // Who is known by the message only is counted when that has come.
  if (route.guard !== undefined && exchange.principal === undefined) return;
  for (const limiter of after) await limiter.admit(exchange);
}

/**
 * The second half of `admitHead`: to be called for every message before anything is done with it.
 * Throws, or rejects, as `admit` does.
 */
export function admitMessage(
  exchange: Exchange,
  route: Route,
  message: SecuredMessage,
): void | Promise<void> {
  const { guard } = route;
  if (guard === undefined || exchange.principal !== undefined) return;
  const checking = guard.checkMessage(message, exchange);
  if (checking instanceof Promise || route.limits !== undefined) {
    return identifyLater(exchange, route, checking);
  }
  return identify(exchange, route, checking);
}

async function identifyLater(
  exchange: Exchange,
  route: Route,
  checking: Principal | undefined | Promise<Principal | undefined>,
): Promise<void> {
  identify(exchange, route, await checking);
  for (const limiter of route.limits?.after ?? []) await limiter.admit(exchange);
}

function enter(exchange: Exchange, route: Route, principal: Principal | undefined): void {
  identify(exchange, route, principal);
  exchange.startDeadline();
}

function enterHead(exchange: Exchange, route: Route, principal: Principal | undefined): void {
  if (principal !== undefined) return enter(exchange, route, principal);
  hideCredentials(exchange, route.guard!); // asked only where there is one
  exchange.startDeadline();
}

function identify(exchange: Exchange, route: Route, principal: Principal | undefined): void {
  if (principal === undefined) throw new PlatformError("REQUEST_UNAUTHORIZED");
  const { roles, guard } = route;
  if (roles !== undefined && !roles.some((role) => principal.roles.includes(role))) {
    throw new PlatformError("REQUEST_FORBIDDEN");
  }
  exchange.principal = principal;
  hideCredentials(exchange, guard!); // a principal comes from a guard
}

function hideCredentials(exchange: Exchange, { queryNames }: Guard): void {
  if (queryNames.length > 0) exchange.hideQuery(queryNames);
}
