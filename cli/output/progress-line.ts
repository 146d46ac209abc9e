import { describeLoad } from '../../harness/core/load.ts';
import { formatNumber, formatRate, formatSeconds } from '../../harness/core/units.ts';
import type { StudyEvent, TimeLeft } from '../../harness/studies/study-event.ts';
import { describeNote } from '../../reports/describe/notes.ts';
import { describeAmounts } from '../../reports/describe/verdicts.ts';
import { shortened, styled } from '../../reports/text.ts';
import { describeTrial } from './trial-line.ts';

/** What a run reports, and what the command line says of its own preparations. */
export type ProgressEvent = StudyEvent | { readonly kind: 'message'; readonly text: string };

/** What the earlier lines printed and the next line builds on. */
export interface ProgressState {
  /** Where the run is: `tier 2 of 4`; empty before the first tier, and in a run of one. */
  readonly place: string;
  /** What is happening now: `login at 10/s, trial 3 of 12`. */
  readonly doing: string;
}

export interface Progress {
  readonly state: ProgressState;
  /** To stay on the screen, and the only lines without a terminal. */
  readonly lasting: readonly string[];
  /** To be replaced by the next one; null when there is none. */
  readonly live: string | null;
}

export const progressAtStart: ProgressState = { place: '', doing: 'starting' };

/** What to print for an event, each line at most `width` columns. Pure: who prints keeps the state. */
export function progressLine(state: ProgressState, event: ProgressEvent, width: number): Progress {
  const now = (doing: string, more = '', place = state.place): Progress => ({
    state: { place, doing },
    lasting: [shortened(`${joined(place, doing)}${more}`, width)],
    live: shortened(`${joined(place, doing)} …`, width),
  });
  const lasting = (line: string): Progress => ({ state, lasting: [shortened(line, width)], live: null });
  switch (event.kind) {
    case 'subject-starting': {
      const place = event.total === 1 ? '' : `tier ${event.position} of ${event.total}`;
      return now(`${event.subject}: starting (${event.title})`, '', place);
    }
    case 'provider-progress':
      return now(`${event.subject}: ${event.what}`);
    case 'preparing-data':
      return now(`${event.subject}: seeding ${describeAmounts(event.amounts)}`);
    case 'planned':
      return { state, lasting: [], live: null };
    case 'trial-started':
      return now(
        `${event.subject}: ${event.scenario} at ${describeLoad(event.load)}, ${trialName(event)}`,
        `, ${formatSeconds(event.durationS)}; ${timeLeft(event.time)}`,
        // Both of a pair run at the same time.
        event.pair === undefined ? state.place : '',
      );
    case 'interval': {
      const answered = event.p95S === null ? 'no answer' : `p95 ${formatSeconds(event.p95S)}`;
      const live = liveLine(state, `${formatRate(event.requestsPerS)}  ${answered}`, event.time, width);
      return { state, lasting: [], live };
    }
    case 'waiting': {
      const waiting = { ...state, doing: event.reason === 'rest' ? 'resting' : 'waiting for requests in flight' };
      return { state: waiting, lasting: [], live: liveLine(waiting, formatSeconds(event.leftS), event.time, width) };
    }
    case 'trial-finished':
      return event.trial.record.purpose === 'warm-up'
        ? { state, lasting: [], live: null }
        : lasting(`  ${describeTrial(event.trial)}`);
    case 'note':
      return lasting(`note: ${describeNote(event.note)}`);
    case 'message':
      return lasting(`note: ${event.text}`);
    case 'subject-stopped':
      return lasting(joined(state.place, `${event.subject}: stopped`));
  }
}

function joined(place: string, doing: string): string {
  return place === '' ? doing : `${place}, ${doing}`;
}

/** `search, 295 to 322/s`, `trial 3 of 12`, `trial 3 of 12, attempt 2`, `warm-up` */
function trialName({ purpose, planned, attempt, bracket, pair }: StudyEvent & { kind: 'trial-started' }): string {
  if (bracket !== undefined) return `search${bracketText(bracket)}`;
  if (pair !== undefined) return `pair ${pair.number} of at most ${pair.most}`;
  if (planned === null || purpose === 'warm-up') return purpose;
  const name = `trial ${planned.position} of ${planned.total}`;
  return attempt === 1 ? name : `${name}, attempt ${attempt}`;
}

/** The interval so far, which closes: `, 295 to 322/s`. */
function bracketText({ lowPerS, highPerS }: NonNullable<(StudyEvent & { kind: 'trial-started' })['bracket']>): string {
  if (lowPerS === null && highPerS === null) return '';
  if (lowPerS === null) return `, below ${formatRate(highPerS ?? 0)}`;
  return highPerS === null ? `, above ${formatRate(lowPerS)}` : `, ${formatNumber(lowPerS)} to ${formatRate(highPerS)}`;
}

const BAR_CELLS = 16;

/** `tier 2 of 4, cached: login at 10/s, trial 3 of 12  33/s  p95 312 ms  ████░░░░  80 s to 2 min left` */
function liveLine({ place, doing }: ProgressState, figures: string, time: TimeLeft, width: number): string {
  const left = timeLeft(time);
  const bar = progressBar(time.elapsedS, (time.atLeastS + time.atMostS) / 2, BAR_CELLS);
  // The narrower the terminal, the less is shown: first the bar goes, then what is happening is cut, then the figures go.
  const what = joined(place, doing);
  const wide = [what, figures, bar, left].join('  ');
  if (wide.length <= width) return [what, figures, styled('progress', bar), left].join('  ');
  const rest = `${figures}  ${left}`;
  const room = width - rest.length - 2;
  if (room >= 8) return `${shortened(what, room)}  ${rest}`;
  return shortened(rest.length <= width ? rest : left, width);
}

/** Bounds that are near to each other are one figure. */
function timeLeft({ atLeastS, atMostS }: TimeLeft): string {
  const [least, most] = [Math.ceil(atLeastS), Math.ceil(atMostS)];
  return `${most <= least * 1.2 + 5 ? formatSeconds(most) : `${formatSeconds(least)} to ${formatSeconds(most)}`} left`;
}

export function progressBar(elapsedS: number, remainingS: number, cells: number): string {
  const total = elapsedS + Math.max(0, remainingS);
  const done = total > 0 ? Math.min(cells, Math.max(0, Math.round((elapsedS / total) * cells))) : 0;
  return '█'.repeat(done) + '░'.repeat(cells - done);
}
