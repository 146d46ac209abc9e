import type { SubjectFacts } from '../core/study-record.ts';
import type { Target } from '../core/target.ts';
import type { Tier } from '../core/tier.ts';
import { settingOption, tierSetting } from '../core/tier-setting.ts';
import { isValid, type JudgedTrial } from './judged-trial.ts';
import { boundOf, whyInvalid } from './load-steps.ts';
import { exactly, inconclusive, type Judgement, met, missed, notJudged } from './verdicts.ts';

/** How much data the tier held while it was measured. It counts only when something valid was measured with it. */
export function judgeDataSize(target: Target, { data }: SubjectFacts, trials: readonly JudgedTrial[]): Judgement {
  if (data === null) return notJudged({ code: 'data-unknown' });
  const { users, tasksPerUser } = data;
  const unit = target.unit === 'users' ? 'users' : 'tasks';
  const value = exactly(unit === 'users' ? users : users * tasksPerUser);
  const validTrials = trials.filter(isValid).length;
  const evidence = { code: 'data', users, tasksPerUser, validTrials } as const;
  if (!boundOf(target, 'at least').keeps(value.value)) {
    return inconclusive([{ code: 'too-little-data', unit, users, tasksPerUser }], value, evidence);
  }
  if (validTrials > 0) return met(value, evidence);
  return inconclusive(
    trials.length === 0 ? [{ code: 'not-measured', runEnded: true }] : whyInvalid(trials),
    value,
    evidence,
  );
}

/** A setting of the tier as it was started. */
export function judgeSetting(target: Target, option: string, tier: Tier): Judgement {
  const { kind } = settingOption(option);
  if (kind !== null && !tier.services.some((service) => service.kind === kind)) {
    return notJudged({ code: 'no-such-service', kind });
  }
  const value = tierSetting(tier, option, target.unit);
  if (value === null) return notJudged({ code: 'setting-open', option });
  const setting = { option, value, unit: target.unit, tier: tier.name };
  const evidence = { code: 'setting', ...setting } as const;
  if (agrees(target, value)) return met(exactly(value), evidence);
  return missed({ code: 'setting-differs', ...setting }, exactly(value), evidence);
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
