import type { SubjectFacts } from '../core/study-record.ts';
import type { Target } from '../core/target.ts';
import type { Tier } from '../core/tier.ts';
import { isOff, type SettingReader, tierSettings } from '../core/tier-setting.ts';
import { boundOf, exactly, inconclusive, type Judgement, met, missed, notJudged } from './judged-target.ts';
import { isValid, type JudgedTrial } from './judged-trial.ts';
import { contradict, whyInvalid } from './load-steps.ts';

/** How much data the tier held while it was measured. It counts only when something valid was measured with it. */
export function judgeDataSize(target: Target, { data }: SubjectFacts, trials: readonly JudgedTrial[]): Judgement {
  if (data === null) return notJudged({ code: 'data-unknown' });
  const { unit } = target;
  const { amounts } = data;
  const amount = amounts[unit];
  if (amount === undefined) return notJudged({ code: 'data-unknown' });
  const value = exactly(amount);
  const validTrials = trials.filter(isValid).length;
  const evidence = { code: 'data', amounts, validTrials } as const;
  if (!boundOf(target, 'at least').keeps(value.value)) {
    return inconclusive([{ code: 'too-little-data', unit, amount }], value, evidence);
  }
  if (validTrials > 0) return met(value, evidence);
  return inconclusive(
    trials.length === 0 ? [{ code: 'not-measured', runEnded: true }] : whyInvalid(trials),
    value,
    evidence,
  );
}

/**
 * A setting of the tier as it was started. A target that is missed is shown and not counted where it contradicts another
 * one (of `others`) for the same setting that the tier follows: no tier can follow both.
 */
export function judgeSetting(target: Target, tier: Tier, others: readonly Target[], read: SettingReader): Judgement {
  const judgement = compareSetting(target, tier, read);
  if (judgement.verdict.kind !== 'missed') return judgement;
  const followed = others.find(
    (other) =>
      contradict(target, other) &&
      isSameSetting(target, other) &&
      compareSetting(other, tier, read).verdict.kind === 'met',
  );
  if (followed === undefined) return judgement;
  const why = { code: 'follows-other', target: followed.id, document: followed.source.document } as const;
  return { ...judgement, verdict: { kind: 'not-judged', why } };
}

function compareSetting(target: Target, tier: Tier, read: SettingReader): Judgement {
  const { judged, unit, appliesTo } = target;
  if (judged.by !== 'setting') throw new Error(`${target.id} is about no setting`);
  const { option, unlessOff } = judged;
  const off = unlessOff === undefined ? undefined : tierSettings(tier, { option: unlessOff });
  if (off?.kind === 'no-such-service') return notJudged({ code: 'no-such-service', kind: off.service });
  if (unlessOff !== undefined && off?.kind === 'set' && off.values.some(isOff)) {
    return notJudged({ code: 'switched-off', option: unlessOff });
  }
  const found = tierSettings(tier, judged);
  // A target that names the tier asks for the service as well: without it there are 0 instances.
  const asksForIt = appliesTo.tiers.includes(tier.name) && option.endsWith('.instances');
  if (found.kind === 'no-such-service' && !asksForIt) return notJudged({ code: found.kind, kind: found.service });
  const written = found.kind === 'set' ? found.values : asksForIt ? [0] : [];
  const values = written.flatMap((each) => read(option, each, unit) ?? []);
  const value = values.find((each) => !agrees(target, each)) ?? values[0];
  if (value === undefined) return notJudged({ code: 'setting-open', option });
  const setting = { option, value, unit, tier: tier.name };
  const evidence = { code: 'setting', ...setting } as const;
  if (agrees(target, value)) return met(exactly(value), evidence);
  return missed({ code: 'setting-differs', ...setting }, exactly(value), evidence);
}

function isSameSetting(one: Target, other: Target): boolean {
  const [left, right] = [one.judged, other.judged];
  return left.by === 'setting' && right.by === 'setting' && left.option === right.option && left.as === right.as;
}

function agrees({ comparison, value }: Target, setting: number): boolean {
  if (typeof value !== 'number') return setting >= value[0] && setting <= value[1];
  switch (comparison) {
    case '<':
      return setting < value;
    case '<=':
      return setting <= value;
    case '>':
      return setting > value;
    case '>=':
      return setting >= value;
    default:
      return setting === value;
  }
}
