import type { SoapClient } from "./outgoing/soap-client.ts";
import type { UserConfigValues } from "./user-configs.ts";

/**
 * What exists in the cluster that services are written for. Empty as it comes: every name is then
 * a `string`. `dragoman types` writes declarations that fill it, and names that do not exist no
 * longer compile:
 *
 * ```ts
 * declare module "dragoman" {
 *   interface Register {
 *     services: { "crm.get": { input: { id: number }; output: { name: string } } };
 *     rest: "CRM" | "ERP";
 *     soap: { Bank: { Transfer: { input: { amount: number }; output: { id: string } } } };
 *     channels: { chat: "WebSocketChannel"; customers: "RestChannel" };
 *     caches: "rates";
 *     configs: { shop: { currency: string } };
 *     dictionaries: "countries";
 *   }
 * }
 * ```
 *
 * Each member is a union of names, or a record whose keys are the names. A member that is left out
 * leaves its names unchecked; `never` says that there are none.
 */
// deno-lint-ignore no-empty-interface -- declarations of users fill it
export interface Register {}

/** The names that the register has of something; `string` where it says nothing. */
export type NameOf<Member extends string> = Register extends
  { readonly [key in Member]: infer Names }
  ? Extract<Names extends string ? Names : keyof Names, string>
  : string;

/** The name of a service. */
export type ServiceName = NameOf<"services">;

type EntryOf<Member extends string, Name> = Register extends
  { readonly [key in Member]: infer Entries } ? Name extends keyof Entries ? Entries[Name] : unknown
  : unknown;

/** What callers give the service of this name; `unknown` where the register does not say. */
export type InputOf<Name> = EntryOf<"services", Name> extends { input: infer Input } ? Input
  : unknown;

/** What the service of this name answers; `unknown` where the register does not say. */
export type OutputOf<Name> = EntryOf<"services", Name> extends { output: infer Output } ? Output
  : unknown;

/** The name of a channel to whose clients messages can be pushed. */
export type PushChannelName = Register extends { readonly channels: infer Channels }
  ? Channels extends string ? Channels
  : Extract<
    { [Name in keyof Channels]: Channels[Name] extends "WebSocketChannel" ? Name : never }[
      keyof Channels
    ],
    string
  >
  : string;

/** A UserConfig object with the values that the register says it has. */
export type ConfigOf<Name> = EntryOf<"configs", Name> extends infer Values
  ? unknown extends Values ? UserConfigValues
  : Name extends Values ? UserConfigValues
  : Omit<UserConfigValues, "values"> & { readonly values: Readonly<Values> }
  : never;

/** A SOAP client that knows its operations, where the register says them. */
export type SoapClientOf<Name> = EntryOf<"soap", Name> extends infer Operations
  ? unknown extends Operations ? SoapClient
  : {
    call<Operation extends Extract<keyof Operations, string>>(
      operation: Operation,
      input: Operations[Operation] extends { input: infer Input } ? Input : unknown,
      options?: Parameters<SoapClient["call"]>[2],
    ): Promise<Operations[Operation] extends { output: infer Output } ? Output : unknown>;
  }
  : never;
