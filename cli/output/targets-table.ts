import type { Judgement, Target } from '../../harness/core/target.ts';
import { formatBound, formatNumber, formatQuantity, formatRate } from '../../harness/core/units.ts';
import { indented, styled } from '../../reports/text.ts';

/** What `tierbench targets` prints: by document, each target with its value, what it is, and how it is judged. */
export function targetsTable(targets: readonly Target[], width: number): string {
  const documents = Map.groupBy(targets, ({ source }) => source.document);
  const groups = [...documents].map(([document, group]) => {
    const idWidth = Math.min(LONGEST_ID, Math.max(...group.map(({ id }) => id.length)));
    const lines = group.flatMap((target) => {
      const [id, bound] = [`  ${target.id.padEnd(idWidth)}`, formatBound(target)];
      const heading = id.length + 2 + bound.length <= width ? [`${id}  ${bound}`] : [id, `    ${bound}`];
      return [
        ...heading,
        ...indented(`${target.title}; ${describeJudgement(target)}`, width, 4).map((line) => styled('faint', line)),
      ];
    });
    return [styled('strong', `${document} (${group.length})`), ...lines, ''];
  });
  return [...groups.flat(), ...indented(summary(targets), width, 0)].join('\n');
}

/** A longer id pushes its value to the right instead of all values. */
const LONGEST_ID = 44;

/** `setting api.cpus; contradicted`, `measured as concurrency in login at concurrency 100`. */
function describeJudgement({ judged, appliesTo, contradictions }: Target): string {
  const { scenarios, tiers, concurrency, arrivalRatePerS, users, tasks } = appliesTo;
  const load = [
    ...(scenarios.length > 0 ? [`in ${scenarios.join(' and ')}`] : []),
    ...(tiers.length > 0 ? [`on ${tiers.join(' and ')}`] : []),
    ...(concurrency === undefined ? [] : [`at concurrency ${formatNumber(concurrency)}`]),
    ...(arrivalRatePerS === undefined ? [] : [`at ${formatRate(arrivalRatePerS)}`]),
    ...(users === undefined ? [] : [`for ${formatQuantity(users, 'users')}`]),
    ...(tasks === undefined ? [] : [`with ${formatQuantity(tasks, 'tasks')}`]),
  ];
  const how = [judgementWords(judged), ...load].join(' ');
  const others = contradictions.map(({ target }) => target).join(', ');
  return others === '' ? how : `${how}; contradicts ${others}`;
}

function judgementWords(judged: Judgement): string {
  switch (judged.by) {
    case 'measured':
      return `measured as ${judged.metric}${judged.each === undefined ? '' : ' of each step'}`;
    case 'setting':
      return `setting ${judged.option}${judged.as === undefined ? '' : ` of the ${judged.as}`}`;
    case 'model':
      return `${judged.model} model`;
    default:
      return `not yet judged (${judged.why.replace(/\.$/u, '')})`;
  }
}

function summary(targets: readonly Target[]): string {
  const count = (by: Target['judged']['by']) => targets.filter(({ judged }) => judged.by === by).length;
  return `${targets.length} targets: ${count('measured')} measured, ${count('setting')} settings, ${count('model')} for a model, ${count('not-yet')} not judged yet.`;
}
