import type { Tier } from '../harness/core/tier.ts';
import type { LoadEngine } from '../harness/engines/engine.ts';
import type { Probe } from '../harness/probes/probe.ts';
import type { Deployment, InstanceAccess } from '../harness/providers/provider.ts';
import type { EngineName } from './load-options.ts';

/** Which engines and probes there are; providers are in choose-provider.ts. Each is loaded when it is chosen. */

export async function chooseEngine(name: EngineName): Promise<LoadEngine> {
  switch (name) {
    case 'autocannon':
      return (await import('../harness/engines/autocannon.ts')).autocannonEngine;
    case 'open-loop':
      return (await import('../harness/engines/open-loop/open-loop.ts')).openLoopEngine();
  }
}

/** What is read once a second on a deployment: whatever it lets us see. */
export async function probesFor({ tier, services, access }: Deployment): Promise<readonly Probe[]> {
  const [
    machineCpu,
    processCpu,
    controlGroup,
    generatorThrottling,
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
    import('../harness/probes/generator-throttling.ts'),
    import('../harness/providers/containers/stats.ts'),
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
    }
  };
  return [
    machineCpu.machineCpuProbe(),
    processCpu.processCpuProbe(services),
    ...(generatorThrottling.seesOwnControlGroups() ? [generatorThrottling.generatorThrottlingProbe()] : []),
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
