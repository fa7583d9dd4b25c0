import type { StoredObject } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { keyPolicy } from "../../http/channel-fields.ts";
import { paramNames, parsePathTemplate, type PathTemplate } from "../../http/path-template.ts";
import type { Route, RouteEntry } from "../../http/route.ts";
import type { RunnableService } from "../../service/call.ts";
import type { Service } from "../../service/define-service.ts";
import type { HttpChannelDriver, HttpChannelHost, PreparedHttpChannel } from "../contract.ts";
import { DescriptionEndpoint } from "./description.ts";
import { Dispatcher } from "./dispatch.ts";
import { SoapEndpoint } from "./endpoint.ts";
import { soapChannel, type SoapChannelSpec } from "./index.ts";
import { compileMessages, type SoapMessages, type SoapOperation } from "./operation.ts";
import { versionsOf } from "../../soap/version.ts";
import { pascalCase } from "./xsd.ts";

/** Brings SoapChannel objects to life. */
export const driver: HttpChannelDriver = {
  prepare({ kind, name, spec: unread }: StoredObject): PreparedHttpChannel {
    const spec = soapChannel.schema.parse(unread);
    const template = parsePathTemplate(spec.path);
    if (typeof template === "string") {
      throw new PlatformError("CHANNEL_UNUSABLE", { reason: template });
    }
    const channel = new SoapChannel({ kind, name }, spec, template);
    return { routes: (host) => spec.active ? channel.routes(host) : [] };
  },
};

/** One object, through all configurations that it is part of. */
class SoapChannel {
  readonly #info: Route["channel"];
  readonly #spec: SoapChannelSpec;
  readonly #template: PathTemplate;
  readonly #namespace: string;
  // Walking schemas is slow, and every configuration asks for the same ones.
  readonly #messages = new Map<
    string,
    { readonly service: Service; readonly made: SoapMessages }
  >();

  constructor(info: Route["channel"], spec: SoapChannelSpec, template: PathTemplate) {
    this.#info = info;
    this.#spec = spec;
    this.#template = template;
    this.#namespace = spec.namespace ?? `urn:dragoman:${encodeURIComponent(info.name)}`;
  }

  routes(host: HttpChannelHost): readonly RouteEntry<Route>[] {
    const operations = this.#serviceNames().map(([operation, service]) =>
      this.#operation(operation, host.service(service))
    );
    const { style, version, description, understands, security, wsdl, roles } = this.#spec;
    const versions = versionsOf(version);
    const namespace = this.#namespace;
    const guard = host.guard(security);
    const understood = new Set(understands);
    if (guard?.needsMessage === true) understood.add(securityHeader);
    const dispatcher = new Dispatcher(operations, namespace);
    const endpoint = new SoapEndpoint({ versions, namespace, style, dispatcher, understood });
    const route: Route = { ...this.#base(host, operations), guard, roles, endpoint };
    const template = this.#template;
    const messages = { template, methods: ["POST"], target: route };
    if (wsdl === "none") return [messages];
    const { name } = this.#info;
    const target: Route = {
      ...route,
      ...wsdl === "public" ? { guard: undefined, roles: undefined } : {},
      endpoint: new DescriptionEndpoint({
        name,
        description,
        namespace,
        style,
        versions,
        operations,
      }),
    };
    return [messages, { template, methods: ["GET"], target }];
  }

  #serviceNames(): readonly (readonly [operation: string, service: string])[] {
    const { service, operations } = this.#spec;
    // One of both is there: the schema says so.
    return operations === undefined
      ? [[operationName(service!), service!]]
      : Object.entries(operations);
  }

  #operation(name: string, runnable: RunnableService): SoapOperation {
    const { service } = runnable;
    const known = this.#messages.get(name);
    if (known?.service === service) return { ...known.made, runnable };
    const { style, soapActions, answers } = this.#spec;
    const namespace = this.#namespace;
    const action = soapActions?.[name] ?? `${namespace}#${name}`;
    const answer = answers?.[name];
    const made = compileMessages(service, { name, action, style, namespace, answer });
    this.#messages.set(name, { service, made });
    return { ...made, runnable };
  }

  #base(host: HttpChannelHost, operations: readonly SoapOperation[]) {
    const services = operations.map(({ runnable }) => runnable.service);
    const limits = services.map(({ timeoutMs }) => timeoutMs ?? host.limits.requestMs);
    return {
      channel: this.#info,
      service: services.map((service) => service.name).join(", "),
      paramNames: paramNames(this.#template),
      // Which operation it is, and so whose time it has, is known only when the message is read.
      timeoutMs: this.#spec.timeoutMs ?? Math.max(...limits),
      bodyBytesMax: this.#spec.bodyBytesMax ?? host.limits.bodyBytes,
      limits: host.rateLimits(this.#spec.rateLimits),
      isAudited: this.#spec.audit,
      keys: keyPolicy(this.#spec),
      keepsBody: services.some(({ rawBody }) => rawBody),
      stats: host.stats,
    };
  }
}

/** The header of WS-Security, which channels whose security reads messages understand. */
const securityHeader =
  "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security";

/** `crm.customer.get` as `CrmCustomerGet`; a name may not begin with a digit. */
function operationName(service: string): string {
  const name = pascalCase(service);
  return /^\d/.test(name) ? `Operation${name}` : name;
}
