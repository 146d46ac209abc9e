import { suggestion } from '../harness/core/closest-match.ts';
import type { Problem } from '../harness/core/errors.ts';
import type { Range } from '../harness/core/plan.ts';
import { parseRange } from '../harness/core/units.ts';

interface NumberRange {
  readonly from: number;
  readonly to: number;
  readonly whole?: boolean;
}

/** Reads what was typed after options, and notes what is wrong with it; then it gives something to go on with. */
export interface TypedReader {
  oneOf<T extends string>(option: string, text: string, known: readonly T[]): T;
  number(option: string, text: string | undefined, otherwise: number, range: NumberRange): number;
  /** `10`, `10s` and `10 s`. */
  seconds(option: string, text: string | undefined, otherwise: number, range: NumberRange): number;
  /** `5%` and `5 %`, as a ratio; the range is in percent. */
  percent(option: string, text: string | undefined, otherwise: number, range: NumberRange): number;
  /** `3`, or `2..4`; in `unit` where one is given, which may be left out: `10..30%`. Undefined where nothing was typed. */
  range(option: string, text: string | undefined, limits: NumberRange, unit?: 's' | '%'): Range | undefined;
  /** Separated by commas; each once, ascending. */
  numbers(option: string, text: string, range: NumberRange): readonly number[];
}

export function typedReader(problems: Problem[]): TypedReader {
  const number: TypedReader['number'] = (option, text, otherwise, range) => {
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value >= range.from && value <= range.to) {
      if (!range.whole || Number.isInteger(value)) return value;
    }
    const kind = range.whole ? 'a whole number' : 'a number';
    problems.push({ what: `${option} must be ${kind} from ${range.from} to ${range.to}, but is '${text}'` });
    return otherwise;
  };
  return {
    number,
    seconds: (option, text, otherwise, range) => number(option, text?.replace(/\s*s$/, ''), otherwise, range),
    percent: (option, text, otherwise, range) =>
      number(option, text?.replace(/\s*%$/, ''), 100 * otherwise, range) / 100,
    range(option, text, { from, to }, unit) {
      if (text === undefined) return undefined;
      const plain = unit === undefined ? text : text.replaceAll(unit, '');
      const parsed = parseRange(plain.replaceAll(/\s/gu, ''), null);
      if ('value' in parsed && parsed.value.low >= from && parsed.value.high <= to) {
        const { low, high } = parsed.value;
        return unit === '%' ? { low: low / 100, high: high / 100 } : parsed.value;
      }
      const what = `${option} must be a number from ${from} to ${to}, or two with .. between them, but is '${text}'`;
      problems.push({ what, nextStep: 'write for example 2 or 2..4' });
      return undefined;
    },
    oneOf(option, text, known) {
      const found = known.find((word) => word === text);
      if (found === undefined)
        problems.push({ what: `${option} '${text}' is unknown`, nextStep: suggestion(text, known) });
      return found ?? (known[0] as (typeof known)[number]);
    },
    numbers(option, text, range) {
      const words = splitList(text);
      if (words.length === 0) {
        problems.push({
          what: `${option} names no number`,
          nextStep: `give some, separated by commas: ${option} 10,100`,
        });
      }
      const values = words.map((word) => number(option, word, range.from, range));
      return [...new Set(values)].toSorted((left, right) => left - right);
    },
  };
}

/** What was typed between commas. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
