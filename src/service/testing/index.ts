/**
 * What tests of services import: `import { createTestKit } from "dragoman/testing"`. Works with
 * any test runner; starts nothing, listens nowhere, leaves nothing behind.
 */
export type { LogLine } from "./captured-log.ts";
export type { PushedMessage } from "./kit-facilities.ts";
export type { TestInvocation } from "./memory-work.ts";
export type { RestMethod } from "../outgoing/create-rest-client.ts";
export type { OutgoingCall } from "./outgoing-fakes.ts";
export type {
  RestAnswer,
  RestCall,
  RestFake,
  RestHandler,
  RestScript,
  RestScripts,
} from "./rest-fake.ts";
export { type SoapCall, type SoapFake, soapFault, type SoapHandler } from "./soap-fake.ts";
export type { TestRequest } from "./test-call.ts";
export type { TestClock } from "./test-clock.ts";
export { createTestKit, type TestKit, type TestKitOptions, type TestOutages } from "./test-kit.ts";
export type { TestFailure, TestResult, TestTrace } from "./test-run.ts";
export { UnexpectedCall } from "./unexpected-call.ts";
