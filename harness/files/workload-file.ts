import { z } from 'zod';
import type { Problem } from '../core/errors.ts';
import {
  type AssumptionId,
  assumptionIds,
  exactly,
  product,
  quotient,
  type Range,
  usualAssumptions,
  type Workload,
  type WorkloadKind,
} from '../core/plan.ts';
import { parseRange, type Unit } from '../core/units.ts';
import { describeValue } from './written-value.ts';
import { checkSchema, closedObject, invalidFile, parseYaml, readYamlFile, type YamlFile } from './yaml-file.ts';

const kind = { kind: 'workload', invalid: 'WORKLOAD_FILE_INVALID' } as const;

const MOST = 1e12;

/** `3`, `2..4`, `5 s`, `3..7 s`, `10..30 %`, within the limits that make sense; in SI units. */
export function rangeIn(unit: Unit | null, { from, to }: { readonly from: number; readonly to: number }) {
  return z.unknown().transform((written, context): Range => {
    const parsed =
      typeof written === 'string' || typeof written === 'number'
        ? parseRange(String(written), unit)
        : { problem: `must be a number or a range such as 2..4, but is ${describeValue(written)}` };
    if ('value' in parsed && parsed.value.low >= from && parsed.value.high <= to) return parsed.value;
    const problem =
      'problem' in parsed
        ? parsed.problem
        : `must be from ${from} to ${to}${unit === null ? '' : ` ${unit}`}, but is '${written}'`;
    context.addIssue({ code: 'custom', message: problem });
    return z.NEVER;
  });
}

/** What a person writes: limits, and the unit where there is one. Ratios may be above 1 only where they grow something. */
const forms = {
  dailyUsers: rangeIn(null, { from: 1e-6, to: MOST }),
  monthlyUsers: rangeIn(null, { from: 1e-6, to: MOST }),
  concurrentUsers: rangeIn(null, { from: 1e-6, to: MOST }),
  peakRate: rangeIn(null, { from: 1e-6, to: MOST }),
  dailyShare: rangeIn('ratio', { from: 1e-6, to: 1 }),
  sessionsPerDay: rangeIn(null, { from: 1e-3, to: 1000 }),
  requestsPerSession: rangeIn(null, { from: 1e-3, to: 1e6 }),
  pageViewsPerSession: rangeIn(null, { from: 1e-3, to: 1e6 }),
  requestsPerPageView: rangeIn(null, { from: 1e-3, to: 1000 }),
  sessionLength: rangeIn('s', { from: 1e-3, to: 86_400 }),
  thinkTime: rangeIn('s', { from: 0, to: 86_400 }),
  peakFactor: rangeIn(null, { from: 1, to: 1000 }),
  growth: rangeIn('ratio', { from: 0, to: 100 }),
  cpuFactor: rangeIn(null, { from: 0.01, to: 100 }),
  cacheLifetime: rangeIn('s', { from: 1, to: 365 * 86_400 }),
};

const HOURS = 24;
const schema = closedObject({
  ...(Object.fromEntries(Object.entries(forms).map(([key, form]) => [key, form.exactOptional()])) as {
    readonly [Key in keyof typeof forms]: z.ZodExactOptional<(typeof forms)[Key]>;
  }),
  scenario: z.string().min(1).exactOptional(),
  headroom: rangeIn('ratio', { from: 0, to: 0.9 })
    .refine(({ low, high }) => low === high, 'must be one number, not a range')
    .exactOptional(),
  failures: z.int().min(0).max(100).exactOptional(),
  largestInstanceCpus: z.number().min(0.1).max(1024).exactOptional(),
  shortageCost: z.number().min(0).max(1000).exactOptional(),
  dayCurve: z
    .array(z.number().min(0).max(MOST))
    .refine((hours) => hours.length === HOURS, `must have ${HOURS} numbers, one for each hour`)
    .refine((hours) => hours.some((each) => each > 0), 'must have an hour above 0')
    .exactOptional(),
});

const amounts = {
  dailyUsers: 'daily-users',
  monthlyUsers: 'monthly-users',
  concurrentUsers: 'concurrent-users',
  peakRate: 'peak-rate',
} as const satisfies Readonly<Record<string, WorkloadKind>>;
const amountKeys = Object.keys(amounts) as (keyof typeof amounts)[];

/** What was typed in place of what the file says; without `amount` the file says one. */
export type TypedWorkload = Partial<Omit<Workload, 'kind' | 'amount' | 'given' | 'dayCurve'>> & {
  readonly amount?: { readonly kind: WorkloadKind; readonly value: Range };
};

/**
 * What users do, from a YAML file. What was typed counts instead of what the file says.
 * @throws TierbenchError FILE_NOT_FOUND, FILE_NOT_READABLE, or WORKLOAD_FILE_INVALID with every problem and its place.
 */
export async function readWorkload(path: string, typed: TypedWorkload = {}): Promise<Workload> {
  return toWorkload(await readYamlFile(path, kind), typed);
}

/** As `readWorkload`, from text; `path` is what errors call it. */
export function parseWorkload(text: string, path: string, typed: TypedWorkload = {}): Workload {
  return toWorkload(parseYaml(text, path, kind), typed);
}

function toWorkload(file: YamlFile, typed: TypedWorkload): Workload {
  const { value, problems } = checkSchema(file, schema);
  const all = [...file.problems, ...problems, ...contradictions(file, typed)];
  if (value === undefined || all.length > 0) throw invalidFile(file.path, kind, all);
  const [amountKey = 'peakRate'] = amountKeys.filter((key) => value[key] !== undefined);
  const { pageViewsPerSession, requestsPerPageView = exactly(1), sessionLength, dayCurve } = value;
  const requestsPerSession =
    value.requestsPerSession ??
    (pageViewsPerSession === undefined ? undefined : product(pageViewsPerSession, requestsPerPageView));
  const thinkS =
    value.thinkTime ??
    (sessionLength === undefined
      ? undefined
      : quotient(sessionLength, requestsPerSession ?? usualAssumptions.requestsPerSession));
  const written = {
    dailyShareRatio: value.dailyShare,
    sessionsPerUser: value.sessionsPerDay,
    requestsPerSession,
    peakFactor: value.peakFactor ?? (dayCurve === undefined ? undefined : exactly(peakFactorOf(dayCurve))),
    thinkS,
    growthRatio: value.growth,
    cpuFactor: value.cpuFactor,
    cacheLifetimeS: value.cacheLifetime,
  } satisfies Readonly<Record<AssumptionId, Range | undefined>>;
  return workloadFrom(
    {
      ...defined(written),
      ...(value.scenario !== undefined && { scenario: value.scenario }),
      ...(value.headroom !== undefined && { headroomRatio: 1 - value.headroom.low }),
      ...(value.failures !== undefined && { failures: value.failures }),
      ...(value.largestInstanceCpus !== undefined && { largestCpus: value.largestInstanceCpus }),
      ...(value.shortageCost !== undefined && { shortageCost: value.shortageCost }),
      ...typed,
      amount: typed.amount ?? { kind: amounts[amountKey], value: value[amountKey] ?? exactly(1) },
    },
    dayCurve ?? null,
  );
}

/** A workload of what is said and of what is usual. */
export function workloadFrom(
  said: TypedWorkload & Required<Pick<TypedWorkload, 'amount'>>,
  dayCurve: Workload['dayCurve'] = null,
): Workload {
  const { amount, ...rest } = said;
  return {
    scenario: null,
    headroomRatio: 0.8,
    failures: 1,
    largestCpus: 8,
    shortageCost: 3,
    ...usualAssumptions,
    ...rest,
    kind: amount.kind,
    amount: amount.value,
    dayCurve,
    given: assumptionIds.filter((id) => said[id] !== undefined),
  };
}

function defined<Id extends string>(written: Readonly<Record<Id, Range | undefined>>): Partial<Record<Id, Range>> {
  return Object.fromEntries(Object.entries(written).filter(([, range]) => range !== undefined)) as Partial<
    Record<Id, Range>
  >;
}

/** What its keys allow each but not together. */
function contradictions(file: YamlFile, typed: TypedWorkload): readonly Problem[] {
  const { value } = file;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const has = (key: string) => Object.hasOwn(value, key);
  const problem = (key: string, what: string, nextStep: string): Problem => ({
    ...file.place([key], 'key'),
    what,
    nextStep,
  });
  const given = amountKeys.filter(has);
  const [first = '', second] = given;
  return [
    ...(given.length === 0 && typed.amount === undefined
      ? [problem('', `it says no load: none of ${amountKeys.join(', ')}`, 'Add one: dailyUsers: 100000')]
      : []),
    ...(second === undefined ? [] : [problem(second, `it says ${second} beside ${first}`, 'Keep one of them.')]),
    ...(
      [
        ['requestsPerSession', 'pageViewsPerSession'],
        ['thinkTime', 'sessionLength'],
      ] as const
    ).flatMap(([one, other]) =>
      has(one) && has(other) ? [problem(other, `it says ${other} beside ${one}`, 'Keep one of them.')] : [],
    ),
    ...(has('requestsPerPageView') && !has('pageViewsPerSession')
      ? [problem('requestsPerPageView', 'requestsPerPageView goes with pageViewsPerSession', 'Add it, or remove this.')]
      : []),
    ...(has('dailyShare') && !has('monthlyUsers')
      ? [problem('dailyShare', 'dailyShare goes with monthlyUsers', 'Add it, or remove this.')]
      : []),
  ];
}

/** The rate of the busiest hour over the mean of the day. Shorter peaks are higher. */
function peakFactorOf(dayCurve: readonly number[]): number {
  const total = dayCurve.reduce((sum, each) => sum + each, 0);
  return (Math.max(...dayCurve) * dayCurve.length) / total;
}
