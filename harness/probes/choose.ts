import type { ProbeTarget, RunningService } from '../core/deployment.ts';
import { appMetricsProbe } from './app-metrics.ts';
import {
  controlGroupProbe,
  generatorThrottlingProbe,
  haveControlGroups,
  seesOwnControlGroups,
} from './control-group.ts';
import { machineCpuProbe } from './machine-cpu.ts';
import { nginxProbe } from './nginx.ts';
import { pgbouncerProbe } from './pgbouncer.ts';
import { postgresProbe } from './postgres.ts';
import type { Probe } from './probe.ts';
import { processCpuProbe } from './process-cpu.ts';
import { redisProbe } from './redis.ts';
import { replicationProbe } from './replication.ts';

/** Makes the probe of one target, by the name that kinds of services give it. */
const probes: Readonly<Record<string, (target: ProbeTarget) => Probe | undefined>> = {
  nginx: nginxProbe,
  pgbouncer: pgbouncerProbe,
  postgres: ({ url, source }) => postgresProbe({ databaseUrl: url, source }),
  redis: redisProbe,
  replication: ({ url, source, peerUrl }) =>
    peerUrl === undefined ? undefined : replicationProbe({ primaryUrl: peerUrl, url, source }),
};

/** What is read once a second on a deployment: whatever it lets us see. */
export function probesFor(
  {
    services,
    probes: targets,
  }: { readonly services: readonly RunningService[]; readonly probes: readonly ProbeTarget[] },
  readContainerStats: (containerId: string) => Promise<unknown>,
): readonly Probe[] {
  const apps = targets.filter(({ probe }) => probe === 'app-metrics');
  return [
    machineCpuProbe(),
    processCpuProbe(services),
    ...(seesOwnControlGroups() ? [generatorThrottlingProbe()] : []),
    ...(haveControlGroups(services) ? [controlGroupProbe(services, readContainerStats)] : []),
    // One probe reads every instance.
    ...(apps.length > 0 ? [appMetricsProbe(apps)] : []),
    ...targets.flatMap((target) => probes[target.probe]?.(target) ?? []),
  ];
}
