import { connect } from "node:net";
import { networkInterfaces } from "node:os";

/** True for the addresses that mean "every address of this machine". */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/**
 * The address under which this machine is reached from `peer`, found by connecting there; when
 * nobody answers within a second, or there is no peer, its first address that is not loopback.
 */
export async function localAddressTowards(
  peer: { readonly host: string; readonly port: number } | undefined,
): Promise<string> {
  return (peer === undefined ? undefined : await addressOfConnection(peer)) ?? firstAddress();
}

function addressOfConnection(
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (address: string | undefined) => {
      socket.destroy();
      resolve(address);
    };
    socket.setTimeout(1_000, () => end(undefined));
    socket.once("error", () => end(undefined));
    socket.once("connect", () => end(socket.localAddress));
  });
}

function firstAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const outside = addresses.filter(({ internal }) => !internal);
  const found = outside.find(({ family }) => family === "IPv4") ?? outside[0];
  return found?.address ?? "127.0.0.1";
}
