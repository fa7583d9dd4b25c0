import { PlatformError } from "../../errors/platform-error.ts";
import type { Wsdl, WsdlPort } from "./model.ts";

/** Which port of a WSDL is meant; the first one where nothing is said. */
export interface PortChoice {
  readonly service?: string | undefined;
  readonly port?: string | undefined;
}

/** Throws SOAP_WSDL_INVALID, with the ports that there are. */
export function choosePort({ ports }: Wsdl, { service, port }: PortChoice): WsdlPort {
  const found = ports.find((one) =>
    (service === undefined || one.service === service) && (port === undefined || one.name === port)
  );
  if (found !== undefined) return found;
  const wanted = [service, port].filter((name) => name !== undefined).join("/");
  const names = ports.slice(0, 20).map((one) => `${one.service}/${one.name}`).join(", ");
  throw new PlatformError("SOAP_WSDL_INVALID", {
    where: "definitions",
    reason: `there is no port ${wanted}; there are ${names}`,
  });
}
