import { formatBound, formatQuantity } from '../harness/core/units.ts';
import type { JudgedTarget } from '../harness/judging/judged-trial.ts';
import type { Analysis, ComparisonAnalysis, TierAnalysis } from './analysis.ts';
import { carriedSentence } from './carried-words.ts';
import { describeFault } from './faults.ts';
import {
  estimateWithInterval,
  evidenceText,
  plural,
  shortened,
  sourceOf,
  verdictReasons,
  verdictWords,
} from './figures.ts';
import type { VerdictKind } from './table.ts';
import { compareInTerminal } from './terminal-comparison.ts';
import { figureLines } from './terminal-figures.ts';
import { indented } from './text-layout.ts';
import { headline } from './words.ts';

export interface TerminalLook {
  /** Columns of the terminal; lines are cut to it. */
  readonly width: number;
  /** False under NO_COLOR or without a terminal. */
  readonly color: boolean;
}

/** More would scroll the verdicts away; the page has everything. */
const MOST_LINES = 40;

/** The last words of a run: what was measured, each verdict, what was busy, and where the report lies. */
export function renderTerminal(analysis: Analysis, reportPath: string | null, look: TerminalLook): string {
  const paint = painter(look.color);
  const end = [
    ...(analysis.incomplete === null
      ? []
      : indented(analysis.incomplete, look.width, 0).map((line) => paint.warning(shortened(line, look.width)))),
    ...(reportPath === null ? [] : [`Report: ${paint.strong(reportPath)}`]),
  ];
  if (analysis.comparison !== null) {
    const words = { strong: paint.strong, faint: paint.faint };
    return `${[...comparisonLines(analysis, analysis.comparison, end.length, look, words), ...end].join('\n')}\n`;
  }
  const perTier = Math.floor((MOST_LINES - end.length - 1) / Math.max(1, analysis.tiers.length));
  const lines = analysis.tiers.flatMap((tier) => [...tierLines(tier, perTier - 1, look), '']);
  return `${[...lines, ...end].join('\n')}\n`;
}

/** A table gives way before the words do: the page has all loads. */
function comparisonLines(
  analysis: Analysis,
  comparison: ComparisonAnalysis,
  endLines: number,
  { width }: TerminalLook,
  { strong, faint }: Pick<ReturnType<typeof painter>, 'strong' | 'faint'>,
): readonly string[] {
  const parts = (mostRows: number) => compareInTerminal(analysis, comparison, width, mostRows);
  const { verdicts, faults, inWords } = parts(0);
  const blanks = faults.length > 0 ? 4 : 3;
  const room = MOST_LINES - endLines - blanks - verdicts.length - faults.length;
  const words = capped(inWords, Math.max(MOST_LINES / 4, room - 10), faint);
  const { table } = parts(room - words.length);
  const [header = '', ...rows] = table;
  return [
    ...verdicts.map((line, index) => {
      const name = analysis.tiers[index]?.name ?? '';
      return line.startsWith(name) ? strong(name) + line.slice(name.length) : line;
    }),
    '',
    ...[faint(header), ...rows.slice(0, -1), faint(rows.at(-1) ?? '')].slice(0, Math.max(0, room - words.length)),
    '',
    ...(faults.length > 0 ? [...faults, ''] : []),
    ...words,
    '',
  ].slice(0, MOST_LINES - endLines);
}

function tierLines(tier: TierAnalysis, most: number, look: TerminalLook): readonly string[] {
  const paint = painter(look.color);
  const cut = (line: string) => shortened(line, look.width);
  const start = [paint.strong(cut(`${tier.name}: ${tier.title}`)), cut(headline(tier))];
  const [header, ...rows] = figureLines(tier.scenarios, look.width);
  const figures = [
    ...(header === undefined ? [] : [paint.faint(header), ...rows]),
    ...tier.scenarios.flatMap(({ name, sustained }) =>
      sustained.flatMap((each) => indented(carriedSentence(name, each), look.width, 0).map(cut)),
    ),
  ];
  const groups = measuredTargets(tier);
  const end = [
    ...(tier.views === null ? [] : indented(tier.views.inWords, look.width, 0).map((part) => paint.faint(cut(part)))),
    ...tier.busiest.flatMap((line) => indented(line, look.width, 0).map((part) => paint.faint(cut(part)))),
    ...tier.faults.slice(0, 4).map((fault) => cut(describeFault(fault))),
    ...tier.notes.slice(0, 3).map((note) => paint.warning(cut(`note: ${note}`))),
  ];
  // With many targets the reasons give way first, then the met ones at the end of the list.
  const room = Math.max(1, most - start.length - figures.length - end.length);
  const whole = groups.flatMap((group) => targetLines(group, look, true));
  const verdicts =
    whole.length <= room
      ? whole
      : capped(
          groups.flatMap((group) => targetLines(group, look, false)),
          room,
          paint.faint,
        );
  return [...start, ...figures, ...verdicts, ...end].slice(0, most);
}

/** The judged targets that were measured, those of one figure together; the worst verdict first. */
function measuredTargets(tier: TierAnalysis): readonly (readonly JudgedTarget[])[] {
  const judged = tier.targets
    .filter(({ target, verdict }) => target.judged.by === 'measured' && verdict.kind !== 'not-judged')
    .toSorted((left, right) => verdictOrder[left.verdict.kind] - verdictOrder[right.verdict.kind]);
  return [...Map.groupBy(judged, ({ target }) => target.id).values()];
}

const verdictOrder: Record<VerdictKind, number> = { missed: 0, inconclusive: 1, met: 2, 'not-judged': 3 };

/** The target with its source; below it each verdict with value, interval and, where there is room, what it rests on. */
function targetLines(group: readonly JudgedTarget[], look: TerminalLook, withReasons: boolean): readonly string[] {
  const target = group[0]?.target;
  if (target === undefined) return [];
  const paint = painter(look.color);
  const title = `${target.title}, target ${formatBound(target)} [${sourceOf(target)}]`;
  const lines = group.flatMap(({ scenario, verdict, value, evidence }) => {
    const word = `  ${verdictWords[verdict.kind].padEnd(13)}`;
    const figure =
      value === null ? 'no value' : estimateWithInterval(value, (each) => formatQuantity(each, target.unit));
    const what = `${scenario === null ? '' : `${scenario}: `}${figure}`;
    // Of a verdict that is open the reason matters most: it says what to do.
    const rests = evidenceText(evidence);
    const why = verdict.kind === 'inconclusive' || rests === '' ? verdictReasons(verdict, target)[0] : rests;
    const text = why === undefined || !withReasons ? what : `${what} · ${why}`;
    return indented(text, look.width, word.length).map((line, index) => {
      const rest = shortened(line.slice(word.length), look.width - word.length);
      return index === 0
        ? `${paint.verdict(verdict.kind, word)}${rest}`
        : `${' '.repeat(word.length)}${paint.faint(rest)}`;
    });
  });
  return [shortened(title, look.width), ...lines];
}

function capped(lines: readonly string[], most: number, faint: (text: string) => string): readonly string[] {
  if (lines.length <= most) return lines;
  const shown = lines.slice(0, Math.max(1, most - 1));
  return [...shown, faint(`… ${plural(lines.length - shown.length, 'more line')} in the report`)];
}

function painter(color: boolean) {
  const with_ = (code: string) => (text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const verdictCodes: Record<VerdictKind, string> = { met: '32', missed: '31', inconclusive: '33', 'not-judged': '2' };
  return {
    strong: with_('1'),
    faint: with_('2'),
    warning: with_('33'),
    verdict: (kind: VerdictKind, text: string) => with_(verdictCodes[kind])(text),
  };
}
