import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Service, SettingValue } from '../harness/core/tier.ts';
import type { DeploymentSecrets } from '../harness/providers/health.ts';
import {
  type LocalInstance,
  type LocalInstanceOptions,
  startLocalInstance,
} from '../harness/providers/local/local-instance.ts';
import { newSecrets, probeUrl } from '../harness/providers/start-tier.ts';
import { serviceUrl } from '../harness/services/address.ts';
import { referenceApp } from '../harness/services/reference-app.ts';
import { serviceType } from '../harness/services/registry.ts';
import type { Peer } from '../harness/services/service-type.ts';

/** One instance of a service by itself, as the local provider runs it. */
export interface TestServer extends Omit<LocalInstance, 'port'> {
  readonly port: number;
  /** Where clients connect, with credentials. */
  readonly url: string;
  /** What its probe reads: the database, the console of a pooler, the status page of a load balancer. */
  readonly probeUrl: string;
  readonly peer: Peer;
  readonly secrets: DeploymentSecrets;
}

export interface TestServerOptions extends Partial<Omit<LocalInstanceOptions, 'folder'>> {
  readonly settings?: Readonly<Record<string, SettingValue>>;
  /** Role -> what it connects to. */
  readonly peers?: Readonly<Record<string, Pick<TestServer, 'peer'> & Partial<Pick<TestServer, 'secrets'>>>>;
  readonly signal?: AbortSignal;
}

/** In an existing folder, which is empty again when it is disposed of. */
export async function startServerIn(
  folder: string,
  kind: string,
  { settings = {}, peers = {}, signal = new AbortController().signal, ...options }: TestServerOptions = {},
): Promise<TestServer> {
  const type = serviceType(kind, referenceApp);
  const connectsTo = Object.fromEntries(Object.keys(peers).map((role) => [role, role]));
  // A replica has a slot by its name at its primary.
  const name = `${kind}-${randomBytes(4).toString('hex')}`;
  const service: Service = { name, kind, instances: 1, settings, resources: {}, connectsTo };
  const secrets = Object.values(peers).find((peer) => peer.secrets !== undefined)?.secrets ?? newSecrets();
  const tier = { name: 'test', title: '', description: '', documents: [], entry: name, services: [service] };
  const instance = await startLocalInstance(
    {
      name: `${name}/1`,
      type,
      service,
      context: { tier, instance: 1, peer: (role) => peers[role]?.peer, ...secrets },
      signal,
    },
    { folder, ...options },
  );
  const url = serviceUrl(type.offers(service) ?? 'http', instance.address, secrets);
  const [probe] = type.probes;
  const own = { service, addresses: [instance.address], url };
  const forwarded = type.forwards === undefined ? undefined : peers[type.forwards]?.peer.end;
  return {
    ...instance,
    port: instance.running.port,
    url,
    probeUrl: probe === undefined ? url : probeUrl(probe, instance, secrets),
    peer: { ...own, lacks: instance.spec.lacks, end: forwarded ?? own },
    secrets,
  };
}

/** In a folder of its own, whose path holds a space: `await using redis = await startTestServer('cache')`. */
export async function startTestServer(kind: string, options: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tierbench-test server-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const server = await startServerIn(folder, kind, options).catch(async (error) => {
    await remove();
    throw error;
  });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await remove();
    },
  };
}

/** Something that is no service of a tier, at ports of this machine. */
export function peerAt(...ports: readonly number[]): { readonly peer: Peer } {
  const service: Service = {
    name: 'peer',
    kind: 'container',
    instances: 1,
    settings: {},
    resources: {},
    connectsTo: {},
  };
  const end = {
    service,
    addresses: ports.map((port) => ({ host: '127.0.0.1', port })),
    url: `http://127.0.0.1:${ports[0]}`,
  };
  return { peer: { ...end, lacks: [], end } };
}

/** A PostgreSQL of its own for a test file: `await using postgres = await startTestPostgres()`. */
export function startTestPostgres(settings: Readonly<Record<string, SettingValue>> = {}): Promise<TestServer> {
  return startTestServer('primary', { settings: { fsync: 'off', ...settings } });
}

export function startTestReplica(
  primary: TestServer,
  settings: Readonly<Record<string, SettingValue>> = {},
): Promise<TestServer> {
  return startTestServer('replica', { settings: { fsync: 'off', ...settings }, peers: { primary } });
}

export function startTestPgbouncer(
  database: TestServer,
  settings: Readonly<Record<string, SettingValue>> = {},
): Promise<TestServer> {
  return startTestServer('pooler', { settings: { pool_mode: 'transaction', ...settings }, peers: { database } });
}
