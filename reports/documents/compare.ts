import { formatBytes } from '../../harness/core/units.ts';
import type { DifferenceCode, Effect, ResultDifference } from '../../harness/judging/result-differences.ts';
import { analyse } from '../analysis.ts';
import { scenarioChart } from '../charts/load-charts.ts';
import { isWorseFigure, type ResultGroup, type ResultPair } from '../comparison.ts';
import {
  type Answer,
  type Block,
  type CellDraft,
  type Document,
  details,
  figures,
  head,
  left,
  table,
  tableBlocks,
} from '../document.ts';
import { dateTime } from '../figures.ts';
import { list, plural } from '../text.ts';
import { differenceBlocks, differenceTexts } from './run-differences.ts';
import { comparisonTable } from './run-tables.ts';

/** What `tierbench compare` says: what is worse, what may not be compared and why, and the figures side by side. */
export function compareDocument(pairs: readonly ResultPair[]): Document {
  const [first] = pairs;
  const groups = first === undefined ? [] : [first.before, ...pairs.map(({ after }) => after)];
  return {
    title: `Results ${list(groups.map(({ name }) => name))} compared`,
    subtitle: groups.map(whenAndWhat).join(' · '),
    blocks: [
      { kind: 'answer', answers: pairs.map(answerOf) },
      ...pairs.flatMap((pair) => [...forbidden(pair), ...pairBlocks(pair)]),
      ...figures(groups.length === 0 ? [] : overlays(groups)),
      ...pairs.flatMap(loadBlocks),
    ],
    footer:
      'Intervals: 95 %. A difference between two results holds where its whole interval is beyond 10 %; one that was started once may differ from the next start by a few percent.',
  };
}

function whenAndWhat({ name, results }: ResultGroup): string {
  const [{ facts }] = results;
  const repeats = results.length === 1 ? '' : ` (${plural(results.length, 'repeat')})`;
  return `${name}: ${facts.runId}, ${dateTime(facts.startedAt)}${repeats}`;
}

const MOST_TEXTS = 3;
const verdictTexts = { missed: 'is worse than', met: 'is not worse than', inconclusive: '' } as const;

function answerOf(pair: ResultPair): Answer {
  const { before, after, figures: found, differences, verdict, tiers } = pair;
  if (tiers.length === 0) {
    const statement = `${after.name} and ${before.name} have no tier in common, so nothing is compared.`;
    return { about: '', statement, because: '' };
  }
  const worse = differenceTexts(found.filter(isWorseFigure));
  const texts = worse.length > 0 ? worse : differenceTexts(found);
  const explains = [
    ...new Set(differences.filter(({ effect }) => effect === 'explains').map(({ code }) => labels[code])),
  ];
  return {
    about: '',
    statement:
      verdict === 'inconclusive'
        ? `Whether ${after.name} is worse than ${before.name} is not decided.`
        : `${after.name} ${verdictTexts[verdict]} ${before.name}.`,
    because: [
      ...texts.slice(0, MOST_TEXTS),
      ...(verdict === 'inconclusive' && texts.length === 0 ? [whyUndecided(pair)] : []),
      ...(verdict === 'missed' && worse.length === 0 ? ['It is at the same load, as the tables show.'] : []),
      ...(explains.length === 0 ? [] : [`They also differ in ${list(explains)}, which may be why.`]),
    ].join(' '),
  };
}

function whyUndecided({ figures: found, differences }: ResultPair): string {
  const open = found.filter(({ verdict }) => verdict === 'open').length;
  if (open > 0) return `Of ${plural(found.length, 'figure')} ${open} are undecided; the table says why.`;
  const isForbidden = differences.some(({ effect }) => forbids[effect] !== undefined);
  return isForbidden
    ? 'They may not be compared, as the notes say.'
    : 'Nothing was measured in both that can be compared.';
}

const forbids: Partial<Record<Effect, string>> = {
  all: 'nothing is compared',
  rates: 'sustained rates are not compared',
  loads: 'neither sustained rates nor latencies are compared',
};

function forbidden({ after, differences }: ResultPair): readonly Block[] {
  return differences.flatMap((each): readonly Block[] => {
    const what = forbids[each.effect];
    if (what === undefined) return [];
    return [{ kind: 'note', title: `${after.name}, ${whereOf(each)}`, text: `Another ${labels[each.code]}: ${what}.` }];
  });
}

function whereOf({ tier, scenario }: ResultDifference): string {
  const parts = [tier, scenario].filter((part) => part !== null);
  return parts.length === 0 ? 'all tiers' : parts.join(', ');
}

const labels: Readonly<Record<DifferenceCode, string>> = {
  'cpu-model': 'CPU model',
  cpus: 'number of CPUs',
  memory: 'memory',
  'cpu-limit': 'CPU limit of tierbench',
  'memory-limit': 'memory limit of tierbench',
  'operating-system': 'operating system',
  kernel: 'kernel',
  node: 'version of Node',
  container: 'container around tierbench',
  tierbench: 'version of tierbench',
  provider: 'provider',
  placement: 'number of CPUs for the system',
  workers: 'number of workers',
  seed: 'seed',
  durations: 'length of trials',
  'service-version': 'version of a service',
  services: 'set of services',
  setting: 'setting of a service',
  resource: 'size of a service',
  data: 'amount of data',
  engine: 'load engine',
  timeout: 'timeout',
  arrivals: 'arrival process',
  targets: 'target',
  'think-times': 'choice of think times',
  mix: 'mix of scenarios',
};

const effectTexts: Readonly<Record<Effect, string>> = {
  all: 'nothing is compared',
  rates: 'sustained rates are not compared',
  loads: 'only CPU per request is compared',
  explains: 'may be why figures differ',
  none: 'changes no figure',
};

function pairBlocks(pair: ResultPair): readonly Block[] {
  const { before, after, differences, figures: found } = pair;
  const built = table(
    `What ${before.name} and ${after.name} differ in`,
    [head('What'), head('Of'), left(before.name), left(after.name), left('So')],
    differences.map((each): CellDraft[] => [
      { text: labels[each.code] },
      { text: [each.tier, each.scenario, each.detail].filter((part) => part !== null && part !== '').join(', ') },
      { text: valueText(each, each.before) },
      { text: valueText(each, each.after) },
      { text: effectTexts[each.effect], strong: forbids[each.effect] !== undefined },
    ]),
  );
  return [
    ...differenceBlocks(found, `From ${before.name} to ${after.name}`),
    ...details(`${plural(differences.length, 'difference')} beside the figures`, tableBlocks(built), true),
  ];
}

function valueText({ code, detail }: ResultDifference, value: ResultDifference['before']): string {
  if (value === null || value === '') return '–';
  const isBytes = code === 'memory' || code === 'memory-limit' || detail.endsWith('.memory');
  return isBytes && typeof value === 'number' ? formatBytes(value) : String(value);
}

/** A chart for each tier and scenario, with a line for each result. */
function overlays(groups: readonly ResultGroup[]) {
  const all = groups.map(({ name, results: [result] }) => ({ name, tiers: analyse(result).tiers }));
  const tiers = [...new Set(all.flatMap((each) => each.tiers.map(({ name }) => name)))];
  const scenarios = [
    ...new Set(all.flatMap((each) => each.tiers.flatMap((tier) => tier.scenarios.map(({ name }) => name)))),
  ];
  return tiers.flatMap((tier) =>
    scenarios.map((scenario) => {
      const own = all.map(({ name, tiers: measured }) => {
        const found = measured.find((each) => each.name === tier)?.scenarios.find((each) => each.name === scenario);
        return { tier: name, trials: found?.trials ?? [] };
      });
      if (own.filter(({ trials }) => trials.length > 0).length < 2) return null;
      const chart = scenarioChart(scenario, own, [], 'open') ?? scenarioChart(scenario, own, [], 'closed');
      return chart === null ? null : { ...chart, id: `${chart.id}.${tier}`, title: `${chart.title} · ${tier}` };
    }),
  );
}

function loadBlocks({ after, loads }: ResultPair): readonly Block[] {
  return details(
    `At the same load: ${after.name}`,
    loads.flatMap(({ tier, scenario }) => {
      const built = tableBlocks(comparisonTable(scenario));
      return built.length === 0
        ? []
        : [{ kind: 'heading' as const, level: 3 as const, text: `${tier}: ${scenario.scenario}` }, ...built];
    }),
    true,
  );
}

/** The JSON of `tierbench compare --json`: SI units. */
export function compareReport(pairs: readonly ResultPair[]): string {
  const data = pairs.map(({ before, after, differences, figures: found, loads, verdict }) => ({
    before: identity(before),
    after: identity(after),
    verdict,
    differences,
    figures: found,
    loads: loads.map(({ tier, scenario: { scenario, loads: rows } }) => ({
      tier,
      scenario,
      loads: rows.map(({ load, rows: both }) => ({
        load,
        rows: both.map(({ tier: of, trial, p95, throughput }) => ({
          of,
          p95S: trial?.summary.latency.p95S ?? null,
          throughputPerS: trial?.summary.throughputPerS ?? null,
          p95,
          throughput,
        })),
      })),
    })),
  }));
  return `${JSON.stringify({ schemaVersion: 1, pairs: data }, null, 2)}\n`;
}

function identity({ name, results }: ResultGroup) {
  return { name, runs: results.map(({ facts: { runId, startedAt } }) => ({ runId, startedAt })) };
}
