import type { LoadEngine } from '../harness/engines/engine.ts';
import type { Probe } from '../harness/probes/probe.ts';
import type { Deployment } from '../harness/providers/provider.ts';
import type { EngineName } from './run-options.ts';

/** Which engines and probes there are; providers are in choose-provider.ts. Each is loaded when it is chosen. */

export async function chooseEngine(name: EngineName): Promise<LoadEngine> {
  switch (name) {
    case 'autocannon':
      return (await import('../harness/engines/autocannon.ts')).autocannonEngine;
  }
}

/** What is read once a second on a deployment: whatever it lets us see. */
export async function probesFor({ services, access }: Deployment): Promise<readonly Probe[]> {
  const [{ machineCpuProbe }, { processCpuProbe }, { appMetricsProbe }, { postgresProbe }] = await Promise.all([
    import('../harness/probes/machine-cpu.ts'),
    import('../harness/probes/process-cpu.ts'),
    import('../harness/probes/app-metrics.ts'),
    import('../harness/probes/postgres.ts'),
  ]);
  return [
    machineCpuProbe(),
    processCpuProbe(services),
    ...(services.some(({ kind }) => kind === 'api') ? [appMetricsProbe(services)] : []),
    ...access
      .filter(({ kind }) => kind === 'primary' || kind === 'replica')
      .map(({ url, instance }) => postgresProbe({ databaseUrl: url, source: instance })),
  ];
}
