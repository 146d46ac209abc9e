import type { Obstacle } from '../harness/core/findings.ts';
import type { Tier } from '../harness/core/tier.ts';
import { describeObstacle } from '../reports/describe/notes.ts';
import { app } from './app.ts';

/** Whether one provider can start a tier on this machine. */
export interface WhereItRuns {
  readonly provider: 'containers' | 'local';
  /** Why not; empty when it can. */
  readonly obstacles: readonly Obstacle[];
}

/** Nothing is started, so there is nothing that has to be found again. */
const noRun = { id: 'none', folder: '', environment: {}, labels: {} };

/** By each provider that starts tiers. Starts nothing itself. */
export async function whereItRuns(tier: Tier): Promise<readonly WhereItRuns[]> {
  const [{ containersProvider }, { localProvider }] = await Promise.all([
    import('../harness/providers/containers/containers-provider.ts'),
    import('../harness/providers/local/local-provider.ts'),
  ]);
  return Promise.all([
    containersProvider({ run: noRun })
      .obstacles({ tier, app })
      .then((obstacles): WhereItRuns => ({ provider: 'containers', obstacles })),
    localProvider({ run: noRun })
      .obstacles({ tier, app })
      .then((obstacles): WhereItRuns => ({ provider: 'local', obstacles })),
  ]);
}

/** `runs here in containers and as local processes`, or why not, a line for each reason. */
export function describeWhere(places: readonly WhereItRuns[]): string {
  const words = { containers: 'in containers', local: 'as local processes' } as const;
  const can = places.filter(({ obstacles }) => obstacles.length === 0).map(({ provider }) => words[provider]);
  const cannot = places.flatMap(({ provider, obstacles }) =>
    obstacles.map((obstacle) => `  not ${words[provider]}: ${describeObstacle(obstacle)}`),
  );
  return [`  ${can.length === 0 ? 'does not run here' : `runs here ${can.join(' and ')}`}`, ...cannot].join('\n');
}
