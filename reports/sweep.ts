import type { SustainedRateAnswer } from '../harness/core/run.ts';
import { changeNumber, tierOfSubject, variantId } from '../harness/core/setting-change.ts';
import type { SubjectFacts } from '../harness/core/study-record.ts';
import type { SettingValue } from '../harness/core/tier.ts';
import type { Estimate } from '../harness/core/units.ts';
import { stationsOf } from '../harness/judging/demands.ts';
import { type HeldOut, leaveOneOut } from '../harness/models/held-out.ts';
import { fitInstances, type InstancesFit } from '../harness/models/scaling-of-instances.ts';
import type { Station } from '../harness/models/service-demand.ts';
import { type Analysis, contextOf, type ScenarioAnalysis, type SearchedRate } from './analysis.ts';

/** The sustained rate of a scenario on a tier over one setting, the others of the sweep being the same. */
export interface SweepCurve {
  readonly tier: string;
  readonly scenario: string;
  /** `api.instances` */
  readonly setting: string;
  /** Of the other settings of the sweep: `api.cpus=0.5`; empty where there is none. */
  readonly beside: string;
  readonly requestsPerIteration: number;
  /** Ascending where the values are numbers. */
  readonly points: readonly SweepPoint[];
  /** Through rates over instances; null for another setting, or for fewer than three values. */
  readonly fit: InstancesFit | null;
  /** Loads, ascending, and which value sustains each. */
  readonly demand: readonly DemandAtLoad[];
}

export interface SweepPoint {
  readonly subject: string;
  readonly value: SettingValue;
  readonly number: number | null;
  /** The tier file has the same value. */
  readonly isOwn: boolean;
  /** Iterations/s that are sustained; null where no search found an interval. */
  readonly ratePerS: Estimate | null;
  readonly searched: SearchedRate | null;
  /** Iterations/s between the values around it, where those said as much as a search. */
  readonly known: { readonly lowPerS: number; readonly highPerS: number } | null;
  /** In iterations/s. */
  readonly heldOut: HeldOut | null;
}

export interface DemandAtLoad {
  /** Iterations/s. */
  readonly ratePerS: number;
  /** The least value that may sustain it, and the least that does; null where none that was measured does. */
  readonly atLeast: SettingValue | null;
  readonly enough: SettingValue | null;
}

interface OfSubject {
  readonly facts: SubjectFacts;
  readonly scenario: ScenarioAnalysis;
}

/** Every curve of the sweep of a run: a pure function of its results. Empty for a run without a sweep. */
export function sweepCurves({ question, tiers, facts }: Analysis): readonly SweepCurve[] {
  const subjects = tiers.flatMap(({ facts: own, scenarios }): OfSubject[] =>
    own === null || own.variant.length === 0 ? [] : scenarios.map((scenario) => ({ facts: own, scenario })),
  );
  return question.sweep.flatMap(({ service, setting, values }) => {
    if (values.length < 2) return [];
    const isSwept = (each: { readonly service: string; readonly setting: string }) =>
      each.service === service && each.setting === setting;
    const own = subjects.filter((each) => each.facts.variant.some(isSwept));
    const groups = Map.groupBy(own, ({ facts: { id, variant }, scenario }) => {
      const beside = variantId(
        '',
        variant.filter((each) => !isSwept(each)),
      ).slice(1);
      return JSON.stringify([scenario.name, tierOfSubject(id), beside]);
    });
    return [...groups].map(([key, group]) => {
      const [scenario, tier, beside] = JSON.parse(key) as [string, string, string];
      return curveOf(group, { tier, scenario, beside, setting: `${service}.${setting}` }, facts, isSwept);
    });
  });
}

function curveOf(
  group: readonly OfSubject[],
  about: Pick<SweepCurve, 'tier' | 'scenario' | 'beside' | 'setting'>,
  runFacts: Pick<Analysis['facts'], 'placement'>,
  isSwept: (each: { readonly service: string; readonly setting: string }) => boolean,
): SweepCurve {
  const requestsPerIteration = group.flatMap(({ scenario }) => scenario.demands?.requestsPerIteration ?? []).at(0) ?? 1;
  const measured = group.flatMap(({ facts, scenario }) => {
    const change = facts.variant.find(isSwept);
    if (change === undefined) return [];
    const note = facts.notes.find(({ code }) => code === 'value-known');
    const known =
      note?.code === 'value-known' ? (note.predictions.find((each) => each.scenario === scenario.name) ?? null) : null;
    const stations = scenario.demands === null ? [] : stationsOf(scenario.demands.services, contextOf(runFacts, facts));
    return [
      {
        subject: facts.id,
        value: change.value,
        number: changeNumber(change),
        isOwn: change.isOwn,
        ratePerS: rateOf(scenario.searched),
        searched: scenario.searched,
        known: known === null ? null : { lowPerS: known.lowPerS, highPerS: known.highPerS },
        stations: stations.map(perIteration(requestsPerIteration)).map(apart),
      },
    ];
  });
  const sorted = measured.toSorted((one, other) => (one.number ?? 0) - (other.number ?? 0));
  const usable = sorted.flatMap(({ subject, number, ratePerS, stations }) =>
    ratePerS === null ? [] : [{ subject, value: number, ratePerS, stations }],
  );
  const isOfInstances = about.setting.endsWith('.instances');
  const heldOut = new Map(
    leaveOneOut(usable, isOfInstances).map((found, index) => [usable[index]?.subject, found] as const),
  );
  const points = sorted.map(
    ({ stations: _, ...point }): SweepPoint => ({ ...point, heldOut: heldOut.get(point.subject) ?? null }),
  );
  const ofInstances = usable.flatMap(({ value, ratePerS }) =>
    value === null ? [] : [{ concurrency: value, throughputPerS: ratePerS.value }],
  );
  return {
    ...about,
    requestsPerIteration,
    points,
    fit: isOfInstances ? fitInstances(ofInstances) : null,
    demand: demandOver(points),
  };
}

/** A rate without both ends has no interval, and says nothing to a model. */
function rateOf(searched: SustainedRateAnswer | null): Estimate | null {
  if (searched === null || searched.lowPerS === null || searched.highPerS === null || searched.lowPerS <= 0)
    return null;
  const { valuePerS, lowPerS: low, highPerS: high } = searched;
  return { value: valuePerS ?? Math.sqrt(low * high), low, high };
}

function perIteration(requests: number) {
  return (station: Station): Station => ({ ...station, perUnitS: station.perUnitS * requests });
}

/** All CPU of a service and its main threads are two resources of one name. */
function apart(station: Station, index: number, all: readonly Station[]): Station {
  const isSecond = all.findIndex(({ name }) => name === station.name) < index;
  return isSecond ? { ...station, name: `${station.name}, main thread` } : station;
}

/** To two digits. */
function roundedDown(ratePerS: number): number {
  const digit = 10 ** (Math.floor(Math.log10(ratePerS)) - 1);
  return Number((Math.floor(ratePerS / digit + 1e-9) * digit).toPrecision(2));
}

/** The values for each load that some value was found to sustain: the second metric of a sweep, resources over load. */
function demandOver(points: readonly SweepPoint[]): readonly DemandAtLoad[] {
  const ranges = points.flatMap(({ value, ratePerS, known }) => {
    if (ratePerS !== null) return [{ value, low: ratePerS.low, high: ratePerS.high }];
    return known === null ? [] : [{ value, low: known.lowPerS, high: known.highPerS }];
  });
  return [...new Set(ranges.map(({ low }) => roundedDown(low)))]
    .toSorted((one, other) => one - other)
    .map((ratePerS) => ({
      ratePerS,
      atLeast: ranges.find(({ high }) => high >= ratePerS)?.value ?? null,
      enough: ranges.find(({ low }) => low >= ratePerS)?.value ?? null,
    }));
}
