import { isIPv4 } from 'node:net';
import type { Engine } from './docker.ts';

/** A network of one deployment. */
export interface DeploymentNetwork {
  readonly name: string;
  /** An address that no container of the network has had before. */
  nextAddress(): string;
}

const ATTEMPTS = 5;
/** The first addresses of a network are its own and its gateway's. */
const FIRST_HOST = 10;

/**
 * A container keeps its address over kill and start only where the network was made with a given range: nginx and
 * PgBouncer remember addresses, and a service that comes back elsewhere would stay unreachable for them. The engine knows which
 * ranges are free, so it is asked for one first.
 */
export async function makeNetwork(
  { docker, reaperLabels }: Engine,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<DeploymentNetwork> {
  const create = (subnet?: string) =>
    docker.createNetwork({
      Name: name,
      Driver: 'bridge',
      Labels: { ...labels, ...reaperLabels },
      ...(subnet !== undefined && { IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] } }),
    });
  for (let attempt = 1; ; attempt += 1) {
    const proposed = await create();
    const configurations: readonly { Subnet?: string | undefined }[] = (await proposed.inspect()).IPAM?.Config ?? [];
    const subnet = configurations.map(({ Subnet }) => Subnet ?? '').find((each) => isIPv4(each.split('/')[0] ?? ''));
    if (subnet === undefined) throw new Error(`the engine gave the network ${name} no IPv4 addresses`);
    await proposed.remove();
    try {
      await create(subnet);
      return { name, nextAddress: addressesOf(subnet) };
    } catch (error) {
      // Somebody else was given the same range in between.
      if (attempt === ATTEMPTS || !/overlaps|no available|not available/i.test((error as Error).message)) throw error;
    }
  }
}

function addressesOf(subnet: string): () => string {
  const [first = '', prefix = '24'] = subnet.split('/');
  const base = first.split('.').reduce((number, part) => number * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(prefix));
  let next = FIRST_HOST;
  return () => {
    if (next >= size - 1) throw new Error(`the network ${subnet} is too small for the tier`);
    const address = base + next;
    next += 1;
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
  };
}
