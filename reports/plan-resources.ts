import type { MetricId } from '../harness/core/metrics.ts';
import type { Range, Workload } from '../harness/core/plan.ts';
import type { Tier } from '../harness/core/tier.ts';
import type { TrialRecord } from '../harness/core/trial.ts';
import type { Estimate } from '../harness/core/units.ts';
import type { Demands } from '../harness/judging/demands.ts';
import type { TierPlan } from '../harness/models/capacity-plan.ts';
import { MONTH_S } from '../harness/models/cost.ts';
import type { Load } from '../harness/models/workload.ts';
import { shippedTypes } from '../harness/services/registry.ts';

/** Where a number is from: seen in the run, calculated from what was seen, of a tier file, or what nobody measured. */
export type FigureSource = 'measured' | 'modelled' | 'documented' | 'assumed';

/** What a plan needs besides CPUs. `estimate`: over the worlds of the peak, and of lifetimes where they matter. */
export interface ResourceNeed {
  readonly code:
    | 'network-at-peak'
    | 'network-month'
    | 'log-day'
    | 'rows-written-day'
    | 'cache-memory'
    | 'cache-entry'
    | 'reads-at-replicas'
    | 'replicas'
    | 'memory-seen';
  readonly service: string | null;
  readonly estimate: Estimate;
  readonly source: FigureSource;
}

interface PlannedWith {
  readonly tier: Tier;
  readonly demands: Demands;
  readonly records: readonly TrialRecord[];
  readonly load: Load;
  /** In many worlds. */
  readonly peakPerS: Estimate;
  readonly plan: TierPlan;
}

const DAY_S = 86_400;

export function resourceNeeds(
  planned: PlannedWith,
  { cacheLifetimeS, headroomRatio }: Workload,
): readonly ResourceNeed[] {
  const { tier, demands, load, peakPerS, plan, records } = planned;
  const { amounts, responseBytes, rowsReadAtReplicasRatio } = demands;
  /** Of what grows with the rate. */
  const atRate = (value: number): Estimate => ({
    value,
    low: (value * peakPerS.low) / peakPerS.value,
    high: (value * peakPerS.high) / peakPerS.value,
  });
  const exact = (value: number): Estimate => ({ value, low: value, high: value });
  const need = (
    code: ResourceNeed['code'],
    service: string | null,
    estimate: Estimate,
    source: FigureSource = 'modelled',
  ): ResourceNeed => ({ code, service, estimate, source });
  const ofAmount = (code: ResourceNeed['code'], metric: MetricId, perRequest: (amount: number) => number) =>
    amounts
      .filter((amount) => amount.metric === metric)
      .map(({ service, perRequest: amount }) => need(code, service, atRate(perRequest(amount))));
  const replicas = tier.services.flatMap(({ name, kind }) => {
    const own = plan.services.find((service) => service.name === name);
    if (own === undefined || !(shippedTypes.get(kind)?.resources.includes('replica-lag') ?? false)) return [];
    return [need('replicas', name, atRate((own.utilizationRatio * own.instances) / headroomRatio))];
  });
  return [
    ...(responseBytes === null
      ? []
      : [
          need('network-at-peak', null, atRate(responseBytes * load.peakPerS)),
          need('network-month', null, atRate(responseBytes * load.meanPerS * MONTH_S)),
        ]),
    ...ofAmount('log-day', 'wal-bytes', (amount) => amount * load.meanPerS * DAY_S),
    ...ofAmount('rows-written-day', 'rows-written', (amount) => amount * load.meanPerS * DAY_S),
    ...(rowsReadAtReplicasRatio === null
      ? []
      : [need('reads-at-replicas', null, exact(rowsReadAtReplicasRatio), 'measured')]),
    ...replicas.map((each) => ({ ...each, estimate: wholeOf(each.estimate) })),
    ...cacheNeeds(planned, cacheLifetimeS, need),
    ...memorySeen(records).map(([service, bytes]) => need('memory-seen', service, exact(bytes), 'measured')),
  ];
}

function wholeOf({ value, low, high }: Estimate): Estimate {
  const [atLeast = 1, likely = 1, most = 1] = [low, value, high].map((each) => Math.max(1, Math.ceil(each - 1e-9)));
  return { value: likely, low: atLeast, high: most };
}

/**
 * Entries are those that misses make, for as long as they live (Little's law); invalidation makes it fewer. No figure
 * where the probe saw too few keys come to say how large one is.
 */
function cacheNeeds(
  { tier, demands, load, peakPerS, records }: PlannedWith,
  lifetimeS: Range,
  need: (code: ResourceNeed['code'], service: string, estimate: Estimate, source?: FigureSource) => ResourceNeed,
): readonly ResourceNeed[] {
  const missesPerRequest = demands.amounts
    .filter(({ metric }) => metric === 'cache-misses')
    .reduce((total, { perRequest }) => total + perRequest, 0);
  return tier.services.flatMap(({ name }) => {
    const entryBytes = bytesOfEntry(records, name);
    if (entryBytes === null || missesPerRequest === 0) return [];
    const bytesAt = (ratePerS: number, livesS: number) => ratePerS * missesPerRequest * livesS * entryBytes;
    const likely = bytesAt(load.peakPerS, (lifetimeS.low + lifetimeS.high) / 2);
    return [
      need('cache-entry', name, { value: entryBytes, low: entryBytes, high: entryBytes }, 'measured'),
      need('cache-memory', name, {
        value: likely,
        low: bytesAt(peakPerS.low, lifetimeS.low),
        high: bytesAt(peakPerS.high, lifetimeS.high),
      }),
    ];
  });
}

/** Fewer hide in what else its memory is used for. */
const FEWEST_KEYS = 500;

/** Of a key-value store, between the moments with the fewest and the most keys; null where they hardly differ. */
function bytesOfEntry(records: readonly TrialRecord[], service: string): number | null {
  const samples = records.flatMap((record) => record.samples.filter(({ source }) => source === `${service}/1`));
  const memoryAt = new Map(
    samples.flatMap(({ atS, metric, value }) => (metric === 'data-memory' ? [[atS, value]] : [])),
  );
  const points = samples
    .flatMap(({ atS, metric, value }) => {
      const bytes = memoryAt.get(atS);
      return metric === 'keys' && bytes !== undefined ? [{ keys: value, bytes }] : [];
    })
    .toSorted((one, other) => one.keys - other.keys);
  const [fewest, most] = [points[0], points.at(-1)];
  if (fewest === undefined || most === undefined || most.keys - fewest.keys < FEWEST_KEYS) return null;
  return Math.max(0, (most.bytes - fewest.bytes) / (most.keys - fewest.keys));
}

/** The most memory that an instance of each service used. */
function memorySeen(records: readonly TrialRecord[]): readonly (readonly [service: string, bytes: number])[] {
  const most = new Map<string, number>();
  for (const { samples } of records) {
    for (const { source, metric, value } of samples) {
      const [service = ''] = source.split('/');
      if (metric === 'memory' && source !== 'generator') most.set(service, Math.max(most.get(service) ?? 0, value));
    }
  }
  return [...most];
}
