import { access, readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { RunningInstance } from '../core/deployment.ts';
import type { Tier } from '../core/tier.ts';
import type { Deployment, Provider } from './provider.ts';

/** A provider in the surroundings it needs, made anew for each test. */
export interface ProviderUnderTest extends AsyncDisposable {
  readonly provider: Provider;
  readonly tier: Tier;
  /** A path of the API that answers 200. */
  readonly readyPath: string;
  /** The folder everything it makes is in; absent for a provider that makes nothing. */
  readonly folder?: string;
}

/** What every provider must do. */
export function describeProvider(
  name: string,
  /** Whether what it deploys are processes of its own. */
  { startsProcesses }: { readonly startsProcesses: boolean },
  setUp: () => Promise<ProviderUnderTest>,
): void {
  describe(`provider ${name}`, () => {
    it('says a tier can run here, brings it up and answers at its base URL', async () => {
      await using surroundings = await setUp();
      const { provider, tier, readyPath } = surroundings;
      expect(await provider.obstacles(tier)).toEqual([]);
      await using deployment = await provider.deploy(tier, new AbortController().signal);
      expect(deployment.provider).toBe(provider.name);
      expect(deployment.tier).toBe(tier);
      const response = await fetch(`${deployment.baseUrl}${readyPath}`);
      await response.text();
      expect(response.status).toBe(200);
    });

    it('tells the truth about services, ports and process ids', async () => {
      await using surroundings = await setUp();
      const { provider, tier } = surroundings;
      await using deployment = await provider.deploy(tier, new AbortController().signal);
      if (startsProcesses) {
        expect(
          deployment.services.map(({ name, kind, instances }) => [name, kind, instances.length]).toSorted(),
        ).toEqual(tier.services.map(({ name, kind, instances }) => [name, kind, instances]).toSorted());
      }
      for (const instance of instancesOf(deployment)) {
        expect(await isListening(instance)).toBe(true);
        if (!startsProcesses) continue;
        const ports = await Promise.all(instance.processIds.map(listeningPorts));
        expect(ports.flat()).toContain(instance.port);
      }
    });

    it('leaves nothing when it is disposed of, and does not mind being disposed of twice', async () => {
      await using surroundings = await setUp();
      const { provider, tier, folder } = surroundings;
      const before = await filesIn(folder);
      const deployment = await provider.deploy(tier, new AbortController().signal);
      const failures: unknown[] = [];
      deployment.onFailure((failure) => failures.push(failure));
      await Promise.all([deployment[Symbol.asyncDispose](), deployment[Symbol.asyncDispose]()]);
      await deployment[Symbol.asyncDispose]();
      expect(failures, 'what was asked to end is no failure').toEqual([]);
      expect(await filesIn(folder)).toEqual(before);
      await expect.poll(() => processesIn(folder)).toEqual([]);
      if (!startsProcesses) return;
      for (const instance of instancesOf(deployment)) {
        expect(await isListening(instance), `${instance.name} still listens`).toBe(false);
        for (const processId of instance.processIds)
          await expect(access(`/proc/${processId}`)).rejects.toThrow('ENOENT');
      }
    });

    if (startsProcesses) {
      it('reports an instance that is killed, once, and is disposed of all the same', async () => {
        await using surroundings = await setUp();
        const { provider, tier, folder } = surroundings;
        const before = await filesIn(folder);
        for (const { name: service } of tier.services) {
          await using deployment = await provider.deploy(tier, new AbortController().signal);
          const instance = instancesOf(deployment).find((candidate) => candidate.name === `${service}/1`);
          const failures: string[] = [];
          const reported = new Promise<void>((resolve) => {
            deployment.onFailure((failure) => {
              failures.push(failure.instance);
              resolve();
            });
          });
          process.kill(instance?.processIds[0] ?? Number.NaN, 'SIGKILL');
          await reported;
          await deployment[Symbol.asyncDispose]();
          expect(failures).toEqual([`${service}/1`]);
          const late: string[] = [];
          deployment.onFailure((failure) => late.push(failure.instance));
          expect(late, 'a listener that comes late hears of it too').toEqual([`${service}/1`]);
          expect(await filesIn(folder)).toEqual(before);
          await expect.poll(() => processesIn(folder)).toEqual([]);
        }
      });
    }

    it('leaves nothing when it is aborted at any step of bringing the tier up', async () => {
      await using surroundings = await setUp();
      const { provider, tier, folder } = surroundings;
      const before = await filesIn(folder);
      const steps: string[] = [];
      await (await provider.deploy(tier, new AbortController().signal, (step) => steps.push(step)))[
        Symbol.asyncDispose
      ]();
      // At the start of each step, and somewhat into it.
      for (const delayMs of [0, 60]) {
        for (const abortAt of steps) {
          const controller = new AbortController();
          const reason = new Error(`aborted at: ${abortAt}`);
          const deployed = provider.deploy(tier, controller.signal, (step) => {
            if (step !== abortAt) return;
            if (delayMs === 0) controller.abort(reason);
            else setTimeout(() => controller.abort(reason), delayMs);
          });
          await deployed.then(
            // It may have come up before the delay was over.
            (deployment) => deployment[Symbol.asyncDispose](),
            (error) => expect(error).toBe(reason),
          );
          await expect.poll(() => processesIn(folder), { message: `processes after abort at: ${abortAt}` }).toEqual([]);
          expect(await filesIn(folder), `files after abort at: ${abortAt}`).toEqual(before);
        }
      }
    });

    it('does not start when it is aborted before', async () => {
      await using surroundings = await setUp();
      const { provider, tier, folder } = surroundings;
      const before = await filesIn(folder);
      const reason = new Error('too late');
      await expect(provider.deploy(tier, AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(await filesIn(folder)).toEqual(before);
    });
  });
}

function instancesOf(deployment: Deployment): RunningInstance[] {
  return deployment.services.flatMap((service) => service.instances);
}

export function isListening({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Process ids whose working directory is in `folder`. */
export async function processesIn(folder: string | undefined): Promise<number[]> {
  if (folder === undefined) return [];
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const workingDirectory = await readlink(`/proc/${name}/cwd`).catch(() => '');
    if (workingDirectory.startsWith(folder)) found.push(Number(name));
  }
  return found;
}

async function filesIn(folder: string | undefined): Promise<string[]> {
  return folder === undefined ? [] : (await readdir(folder)).toSorted();
}

/** TCP ports the process listens on: its open sockets looked up in the system's table of IPv4 sockets. */
async function listeningPorts(processId: number): Promise<number[]> {
  const sockets = new Set<string>();
  for (const descriptor of await readdir(`/proc/${processId}/fd`)) {
    const target = await readlink(`/proc/${processId}/fd/${descriptor}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  const rows = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(inode ?? ''))
    .map(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16));
}
