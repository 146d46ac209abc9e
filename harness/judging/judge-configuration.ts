import type { SubjectFacts } from '../core/study-record.ts';
import type { Target } from '../core/target.ts';
import type { Tier } from '../core/tier.ts';
import { settingOption, tierSetting } from '../core/tier-setting.ts';
import { formatBound, formatNumber, formatQuantity } from '../core/units.ts';
import { exactly, type Finding, inconclusive, met, missed, notJudged } from './findings.ts';
import { boundOf, isValid, type Rung, whyInvalid } from './rungs.ts';

/** How much data the tier held while it was measured. It counts only when something sound was measured with it. */
export function judgeDataSize(target: Target, { data }: SubjectFacts, rungs: readonly Rung[]): Finding {
  if (data === null) return notJudged('The data was not made by this run, so nobody knows how much there is.');
  const tasks = data.users * data.tasksPerUser;
  const value = exactly(target.unit === 'users' ? data.users : tasks);
  const held = `${formatNumber(data.users)} users with ${formatNumber(data.tasksPerUser)} tasks each`;
  const { keeps } = boundOf(target, 'at least');
  if (!keeps(value.value)) {
    const option = target.unit === 'users' ? '--user-count' : '--tasks-per-user';
    return inconclusive([`only ${held} were there; give more with ${option}`], value, `It was measured with ${held}.`);
  }
  const sound = rungs.filter(isValid).length;
  if (sound > 0) return met(value, `${held}; ${sound} sound ${sound === 1 ? 'trial' : 'trials'} ran on them`);
  const reasons = rungs.length === 0 ? ['nothing was measured with them; run it again to the end'] : whyInvalid(rungs);
  return inconclusive(reasons, value, `There were ${held}.`);
}

/** A setting of the tier as it was brought up. */
export function judgeSetting(target: Target, option: string, tier: Tier): Finding {
  const { kind } = settingOption(option);
  if (kind !== null && !tier.services.some((service) => service.kind === kind))
    return notJudged(`The tier has no ${kind}.`);
  const setting = tierSetting(tier, option, target.unit);
  if (setting === null) return notJudged(`The tier leaves ${option} open.`);
  const evidence = `${option} is ${formatQuantity(setting, target.unit)} in tier ${tier.name}`;
  if (agrees(target, setting)) return met(exactly(setting), evidence);
  return missed(`${evidence}, not ${formatBound(target)}`, exactly(setting), evidence);
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
