import type { RunResult } from '../core/run.ts';
import type { Target } from '../core/target.ts';
import { formatNumber, formatRatio } from '../core/units.ts';
import { proportionInterval } from '../statistics/proportion-interval.ts';
import { exactly, type Finding, inconclusive, met, missed, rungsFor } from './findings.ts';
import { boundOf, isValid, type Ladder, whyInvalid } from './rungs.ts';

/** What a load may fail where no target of the run says how much. */
const DEFAULT_ERROR_RATIO = 0.001;

/**
 * Does the system serve this many virtual users at once? Met when a sound trial with at least that many answered at least
 * as many requests, so that nobody need have waited in vain, and failed no more than the error target allows. How fast they were served is judged by the latency target.
 */
export function judgeConcurrency(target: Target, ladder: Ladder, result: RunResult): Finding {
  const { limit } = boundOf(target, 'at least');
  const needed = Math.max(limit, target.appliesTo.concurrency ?? 0);
  const { rungs, missing } = rungsFor({ ...target, appliesTo: { ...target.appliesTo, concurrency: needed } }, ladder);
  const rung = rungs.find(isValid) ?? rungs[0];
  if (rung === undefined) return inconclusive(missing, null, 'The load it names was not measured.');
  const value = exactly(rung.level);
  const evidence = `${formatNumber(rung.bad)} of ${formatNumber(rung.all)} requests failed at ${rung.name}; how long they took is judged by the latency target`;
  if (!isValid(rung)) return inconclusive(whyInvalid(rungs), value, evidence);
  const allowed = errorTarget(result, ladder);
  const ratio = proportionInterval(rung.bad, rung.all);
  if (ratio !== null && allowed.keeps(ratio.value)) {
    const answered = rung.all - rung.bad;
    if (answered >= rung.level) return met(value, evidence);
    const few = `only ${formatNumber(answered)} requests were answered at ${rung.name}, so some users never were; measure longer with --duration`;
    return inconclusive([few], value, evidence);
  }
  const what = `${formatNumber(rung.bad)} of ${formatNumber(rung.all)} requests failed at ${rung.name}, more than ${formatRatio(allowed.limit)}`;
  if (ratio !== null && !allowed.keeps(ratio.low)) return missed(what, value, evidence);
  return inconclusive(
    [`${what}, but too few to tell that from chance; measure longer with --duration`],
    value,
    evidence,
  );
}

function errorTarget({ targets }: RunResult, { tier, scenario }: Ladder): ReturnType<typeof boundOf> {
  const target = targets.find(
    ({ judged, appliesTo: { tiers, scenarios } }) =>
      judged.by === 'measured' &&
      judged.metric === 'error-ratio' &&
      (tiers.length === 0 || tiers.includes(tier)) &&
      (scenarios.length === 0 || scenarios.includes(scenario)),
  );
  if (target !== undefined) return boundOf(target, 'at most');
  return { limit: DEFAULT_ERROR_RATIO, keeps: (ratio) => ratio < DEFAULT_ERROR_RATIO };
}
