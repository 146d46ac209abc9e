import type { Tier } from '../harness/core/tier.ts';
import type { LoadEngine } from '../harness/engines/engine.ts';
import type { K6Program } from '../harness/engines/k6/k6-program.ts';
import type { Probe } from '../harness/probes/probe.ts';
import type { Deployment, InstanceAccess } from '../harness/providers/provider.ts';
import type { EngineName } from './load-options.ts';

/** Which engines and probes there are; providers are in choose-provider.ts. Each is loaded when it is chosen. */

/** What an engine may need to know of its run. */
export interface EngineSurroundings {
  readonly workers: number;
  /** Where it may keep what a person can use to repeat a trial. */
  readonly folder: string;
  /** For what is gone with the run, however that ends. */
  readonly temporaryFolder: string;
  readonly k6Path: string | undefined;
  /** What every process of the run must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  /** Ends what the engine keeps between trials. */
  readonly cleanUp: AsyncDisposableStack;
}

export async function chooseEngine(name: EngineName, surroundings: EngineSurroundings): Promise<LoadEngine> {
  switch (name) {
    case 'open-loop':
      return chooseOpenLoop(surroundings);
    case 'k6':
      return chooseK6(surroundings);
    case 'autocannon':
      return (await import('../harness/engines/autocannon/autocannon.ts')).autocannonEngine;
  }
}

async function chooseOpenLoop({ workers, environment, cleanUp }: EngineSurroundings): Promise<LoadEngine> {
  const [{ generatorProcesses }, { openLoopEngine }] = await Promise.all([
    import('../harness/engines/open-loop/generator-processes.ts'),
    import('../harness/engines/open-loop/open-loop.ts'),
  ]);
  return openLoopEngine({ processes: cleanUp.use(generatorProcesses({ count: workers, environment })) });
}

async function chooseK6(surroundings: EngineSurroundings): Promise<LoadEngine> {
  const { folder, temporaryFolder, k6Path, environment, signal, note } = surroundings;
  const [{ findK6 }, { k6Engine }] = await Promise.all([
    import('../harness/engines/k6/find-k6.ts'),
    import('../harness/engines/k6/k6.ts'),
  ]);
  const found = await findK6({ path: k6Path, signal, onProgress: note });
  note(`k6 ${found.version}: ${found.origin}`);
  // So that a k6 which outlives a killed command is found by the next one.
  const program: K6Program = {
    ...found,
    start: (words, { cwd, env }) => found.start(words, { cwd, env: { ...environment, ...env } }),
  };
  return k6Engine({ program, folder, temporaryFolder });
}

/** What is read once a second on a deployment: whatever it lets us see. */
export async function probesFor({ tier, services, access }: Deployment): Promise<readonly Probe[]> {
  const [
    machineCpu,
    processCpu,
    controlGroup,
    containerStats,
    appMetrics,
    postgres,
    replication,
    pgbouncer,
    redis,
    nginx,
  ] = await Promise.all([
    import('../harness/probes/machine-cpu.ts'),
    import('../harness/probes/process-cpu.ts'),
    import('../harness/probes/control-group.ts'),
    import('../harness/container-engine/engine.ts'),
    import('../harness/probes/app-metrics.ts'),
    import('../harness/probes/postgres.ts'),
    import('../harness/probes/replication.ts'),
    import('../harness/probes/pgbouncer.ts'),
    import('../harness/probes/redis.ts'),
    import('../harness/probes/nginx.ts'),
  ]);
  const ofInstance = ({ kind, url, instance: source }: InstanceAccess): readonly Probe[] => {
    switch (kind) {
      case 'api':
        // One probe reads every instance.
        return [];
      case 'primary':
        return [postgres.postgresProbe({ databaseUrl: url, source })];
      case 'replica': {
        const primaryUrl = primaryOf(source, tier, access)?.url;
        return [
          postgres.postgresProbe({ databaseUrl: url, source }),
          ...(primaryUrl === undefined ? [] : [replication.replicationProbe({ primaryUrl, url, source })]),
        ];
      }
      case 'pooler':
        return [pgbouncer.pgbouncerProbe({ url, source })];
      case 'cache':
        return [redis.redisProbe({ url, source })];
      case 'load-balancer':
        return [nginx.nginxProbe({ url, source })];
      default:
        return [];
    }
  };
  return [
    machineCpu.machineCpuProbe(),
    processCpu.processCpuProbe(services),
    ...(controlGroup.seesOwnControlGroups() ? [controlGroup.generatorThrottlingProbe()] : []),
    ...(controlGroup.haveControlGroups(services)
      ? [controlGroup.controlGroupProbe(services, containerStats.readContainerStats)]
      : []),
    ...(services.some(({ kind }) => kind === 'api') ? [appMetrics.appMetricsProbe(services)] : []),
    ...access.flatMap(ofInstance),
  ];
}

/** The primary that a replica copies. */
function primaryOf(instance: string, tier: Tier, access: readonly InstanceAccess[]): InstanceAccess | undefined {
  const replica = tier.services.find(({ name }) => instance.startsWith(`${name}/`));
  return access.find(({ instance: other }) => other === `${replica?.connectsTo.primary}/1`);
}
