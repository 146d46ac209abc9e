import type { RunResult } from '../core/run.ts';
import type { SubjectFacts } from '../core/study-record.ts';
import { rateGoals } from './rate-goals.ts';

/** What two results of `run` differ in beside the figures they found: what may be compared, and what may have caused them. */

/**
 * `all`: nothing of the tier or the scenario is compared. `rates`: the sustained rates are not. `loads`: latency at the same
 * load is not either. `explains`: figures are compared, and this may be why they differ. `none`: it changes no figure.
 */
export type Effect = 'all' | 'rates' | 'loads' | 'explains' | 'none';

const effects = {
  'cpu-model': 'explains',
  cpus: 'explains',
  memory: 'explains',
  'cpu-limit': 'explains',
  'memory-limit': 'explains',
  'operating-system': 'explains',
  kernel: 'explains',
  node: 'explains',
  container: 'explains',
  tierbench: 'explains',
  provider: 'explains',
  placement: 'explains',
  workers: 'none',
  seed: 'none',
  durations: 'none',
  'service-version': 'explains',
  services: 'explains',
  setting: 'explains',
  resource: 'explains',
  data: 'explains',
  engine: 'loads',
  timeout: 'rates',
  arrivals: 'loads',
  targets: 'rates',
  'think-times': 'all',
  mix: 'all',
} as const satisfies Record<string, Effect>;
export type DifferenceCode = keyof typeof effects;

export interface ResultDifference {
  readonly code: DifferenceCode;
  readonly effect: Effect;
  /** Null: of all tiers, or of all scenarios. */
  readonly tier: string | null;
  readonly scenario: string | null;
  /** `api.DATABASE_POOL_MAX`, `tasks`; empty where the code says it all. */
  readonly detail: string;
  /** Null where it has none. */
  readonly before: Value;
  readonly after: Value;
}

type Value = string | number | boolean | null;
/** The name of a tier in each of the two results. */
export type TierPair = readonly [before: string, after: string];

/** `mixed` is the only scenario that the weights are about. */
const MIXED = 'mixed';

export function resultDifferences(
  before: RunResult,
  after: RunResult,
  tiers: readonly TierPair[],
): readonly ResultDifference[] {
  return [
    ...ofMachine(before, after),
    ...ofQuestion(before, after),
    ...tiers.flatMap((pair) => ofTier(before, after, pair)),
  ];
}

type About = Partial<Pick<ResultDifference, 'tier' | 'scenario' | 'detail'>>;

/** Nothing where both are the same. */
function differing(code: DifferenceCode, before: Value | undefined, after: Value | undefined, about: About = {}) {
  if ((before ?? null) === (after ?? null)) return [];
  const found: ResultDifference = {
    code,
    effect: effects[code],
    tier: null,
    scenario: null,
    detail: '',
    ...about,
    before: before ?? null,
    after: after ?? null,
  };
  return [found];
}

function ofMachine({ facts: before }: RunResult, { facts: after }: RunResult): readonly ResultDifference[] {
  const [from, to] = [before.machine, after.machine];
  return [
    ...differing('cpu-model', from.cpuModel, to.cpuModel),
    ...differing('cpus', from.cpus, to.cpus),
    ...differing('memory', from.memoryBytes, to.memoryBytes),
    ...differing('cpu-limit', from.limits.cpus, to.limits.cpus),
    ...differing('memory-limit', from.limits.memoryBytes, to.limits.memoryBytes),
    ...differing('operating-system', from.operatingSystem, to.operatingSystem),
    ...differing('kernel', from.kernel, to.kernel),
    ...differing('node', from.node, to.node),
    ...differing('container', from.container, to.container),
    ...differing('tierbench', versionOf(before.tierbench), versionOf(after.tierbench)),
    ...differing('placement', before.placement?.systemCpus.length, after.placement?.systemCpus.length),
  ];
}

function versionOf({ version, commit }: RunResult['facts']['tierbench']): string {
  return commit === null ? version : `${version} ${commit.slice(0, 12)}`;
}

function ofQuestion(before: RunResult, after: RunResult): readonly ResultDifference[] {
  const [from, to] = [before.facts.settings, after.facts.settings];
  const durations = ({ question: { warmUpS, durationS } }: RunResult) => `${warmUpS} + ${durationS} s`;
  return [
    ...differing('engine', from.engine, to.engine),
    ...differing('provider', from.provider, to.provider),
    ...differing('workers', from.workers, to.workers),
    ...differing('seed', from.seed, to.seed),
    ...differing('think-times', !from.skipThinkTimes, !to.skipThinkTimes),
    ...(hasMixed(before) && hasMixed(after)
      ? differing('mix', mixOf(from.mix), mixOf(to.mix), { scenario: MIXED })
      : []),
    ...differing('timeout', before.question.timeoutS, after.question.timeoutS),
    ...differing('arrivals', before.question.arrivals, after.question.arrivals),
    ...differing('durations', durations(before), durations(after)),
  ];
}

function hasMixed({ question }: RunResult): boolean {
  return question.scenarios.includes(MIXED);
}

function mixOf(mix: Readonly<Record<string, number>> | undefined): string | null {
  if (mix === undefined) return null;
  return Object.entries(mix)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([part, weight]) => `${part}=${weight}`)
    .join(',');
}

function ofTier(before: RunResult, after: RunResult, [one, other]: TierPair): readonly ResultDifference[] {
  const tier = other;
  const [from, to] = [subjectOf(before, one), subjectOf(after, other)];
  const scenarios = before.question.scenarios.filter((scenario) => after.question.scenarios.includes(scenario));
  return [
    ...scenarios.flatMap((scenario) =>
      differing(
        'targets',
        goalsOf(before, from?.tier.name ?? one, scenario),
        goalsOf(after, to?.tier.name ?? other, scenario),
        { tier, scenario },
      ),
    ),
    ...(from === undefined || to === undefined ? [] : ofSubject(from, to, tier)),
  ];
}

function subjectOf({ subjects }: RunResult, id: string): SubjectFacts | undefined {
  return subjects.find((subject) => subject.id === id);
}

function goalsOf({ targets }: RunResult, tier: string, scenario: string): string {
  return rateGoals(targets, tier, scenario)
    .flatMap(({ target }) => (target === null ? [] : [`${target.id} ${target.comparison} ${target.value}`]))
    .toSorted()
    .join(', ');
}

function ofSubject(before: SubjectFacts, after: SubjectFacts, tier: string): readonly ResultDifference[] {
  const amounts = ({ data }: SubjectFacts) => data?.amounts ?? {};
  const names = ({ tier: { services } }: SubjectFacts) => services.map(({ name }) => name).join(', ');
  const both = before.tier.services.flatMap((service) => {
    const other = after.tier.services.find(({ name }) => name === service.name);
    return other === undefined ? [] : [{ name: service.name, from: service, to: other }];
  });
  const versionIn = ({ services }: SubjectFacts, service: string) =>
    services.find(({ name }) => name === service)?.version;
  return [
    ...differing('services', names(before), names(after), { tier }),
    ...both.flatMap(({ name, from, to }) => [
      ...differing('resource', from.instances, to.instances, { tier, detail: `${name}.instances` }),
      ...differing('resource', from.resources.cpus, to.resources.cpus, { tier, detail: `${name}.cpus` }),
      ...differing('resource', from.resources.memoryBytes, to.resources.memoryBytes, {
        tier,
        detail: `${name}.memory`,
      }),
      ...eachKey('setting', from.settings, to.settings, (key) => ({ tier, detail: `${name}.${key}` })),
      ...differing('service-version', versionIn(before, name), versionIn(after, name), { tier, detail: name }),
    ]),
    ...eachKey('data', amounts(before), amounts(after), (detail) => ({ tier, detail })),
  ];
}

type Values = Readonly<Record<string, Value>>;

function eachKey(code: DifferenceCode, before: Values, after: Values, aboutOf: (key: string) => About) {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => differing(code, before[key], after[key], aboutOf(key)));
}

/** The strongest effect on a scenario of a tier: what of it may be compared. */
export function effectOn(differences: readonly ResultDifference[], tier: string, scenario: string): Effect {
  const own = differences.filter((each) => (each.tier ?? tier) === tier && (each.scenario ?? scenario) === scenario);
  const order: readonly Effect[] = ['all', 'loads', 'rates', 'explains'];
  return order.find((effect) => own.some((each) => each.effect === effect)) ?? 'none';
}
