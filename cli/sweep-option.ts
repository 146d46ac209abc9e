import { suggestion } from '../harness/core/closest-match.ts';
import { type Problem, TierbenchError } from '../harness/core/errors.ts';
import {
  type SettingChange,
  type SweptSetting,
  type VariedSetting,
  variantId,
} from '../harness/core/setting-change.ts';
import type { SettingValue, Tier } from '../harness/core/tier.ts';
import { readVariant } from '../harness/files/tier-file.ts';
import { splitList } from './typed-reader.ts';

/** A subject of a run without its app: a tier, and in a sweep what is changed in it. */
export interface Variant {
  readonly id: string;
  readonly tier: Tier;
  readonly variant: readonly VariedSetting[];
}

/** A search takes minutes. */
const MOST_VARIANTS = 50;

/** `api.instances=1,2,3`; of several options every combination. */
export function readSweep(words: readonly string[], problems: Problem[]): readonly SweptSetting[] {
  const settings = words.flatMap((word): SweptSetting[] => {
    const [, service = '', setting = '', list = ''] = /^([^.=]+)\.([^=]+)=(.*)$/u.exec(word.trim()) ?? [];
    const values = [...new Set(splitList(list))].map(settingValue);
    if (values.length > 0) return [{ service, setting, values }];
    problems.push({
      what: `--sweep '${word}' names no values of a setting`,
      nextStep: 'write SERVICE.SETTING=VALUES, such as api.instances=1,2,3 or pooler.default_pool_size=8,16',
    });
    return [];
  });
  const names = settings.map(({ service, setting }) => `${service}.${setting}`);
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index))) {
    problems.push({ what: `--sweep names ${name} twice`, nextStep: 'write all its values in one: 1,2,3' });
  }
  const count = settings.reduce((product, { values }) => product * values.length, 1);
  if (count > MOST_VARIANTS) {
    problems.push({
      what: `--sweep makes ${count} combinations, more than ${MOST_VARIANTS}`,
      nextStep: 'name fewer values, or sweep one setting after the other',
    });
  }
  return settings;
}

function settingValue(text: string): SettingValue {
  if (text === 'true' || text === 'false') return text === 'true';
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

/**
 * Every combination of the values in every tier that has the services, each checked as a tier file is.
 * @throws TierbenchError OPTIONS_INVALID with the problems of all of them at once
 */
export async function readVariants(names: readonly string[], sweep: readonly SweptSetting[]): Promise<Variant[]> {
  const problems = new Map<string, Problem>();
  const variants = new Map<string, Variant>();
  for (const name of names) {
    for (const changes of combinations(sweep)) {
      try {
        const { tier, variant } = await readVariant(name, changes);
        const id = variantId(tier.name, variant);
        variants.set(id, { id, tier, variant });
      } catch (error) {
        if (!(error instanceof TierbenchError)) throw error;
        const found = error.problems.length > 0 ? error.problems : [{ what: error.message, nextStep: error.nextStep }];
        const about = changes.length === 0 ? name : variantId(name, changes);
        for (const problem of found) {
          const { what, nextStep } = problem;
          // The same problem of another combination says nothing new.
          if (problems.has(what)) continue;
          problems.set(what, { what: `${about}: ${what}`, ...(nextStep !== undefined && { nextStep }) });
        }
      }
    }
  }
  const all = [...variants.values()];
  for (const { service, setting } of sweep) {
    if (problems.size > 0 || all.some(({ variant }) => variant.some((each) => each.service === service))) continue;
    const known = [...new Set(all.flatMap(({ tier }) => tier.services.map((each) => each.name)))];
    problems.set(service, {
      what: `--sweep ${service}.${setting}: no tier of the run has a service '${service}'`,
      nextStep: suggestion(service, known),
    });
  }
  if (problems.size === 0) return all;
  throw new TierbenchError('OPTIONS_INVALID', 'tiers of the sweep cannot be used', 'Fix what is listed.', {
    problems: [...problems.values()],
  });
}

/** The ends of each setting first, then the middle of what lies between: values that they tell need not be measured. */
function combinations([first, ...others]: readonly SweptSetting[]): readonly (readonly SettingChange[])[] {
  if (first === undefined) return [[]];
  const { service, setting } = first;
  const rest = combinations(others);
  return endsFirst(first.values).flatMap((value) => rest.map((changes) => [{ service, setting, value }, ...changes]));
}

function endsFirst<Value>(values: readonly Value[]): readonly Value[] {
  const halves = (from: number, to: number): number[] => {
    if (to - from < 2) return [];
    const middle = Math.floor((from + to) / 2);
    return [middle, ...halves(from, middle), ...halves(middle, to)];
  };
  const order = [...new Set([0, values.length - 1, ...halves(0, values.length - 1)])];
  return order.flatMap((index) => values.slice(index, index + 1));
}
