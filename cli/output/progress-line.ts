import { describeLoad } from '../../harness/core/load.ts';
import { formatNumber, formatRate, formatSeconds } from '../../harness/core/units.ts';
import type { StudyEvent, TimeLeft } from '../../harness/studies/study-event.ts';
import { describeNote } from '../../reports/describe/notes.ts';
import { shortened } from '../../reports/figures.ts';
import type { TerminalLook } from '../../reports/renderers/terminal.ts';
import { describeTrial } from './trial-line.ts';

/** What a run reports, and what the command line says of its own preparations. */
export type ProgressEvent = StudyEvent | { readonly kind: 'message'; readonly text: string };

/** What the earlier lines printed and the next line builds on. */
export interface ProgressState {
  /** What is happening now: `trial 3 of 12: login at concurrency 10`. */
  readonly doing: string;
}

export interface Progress {
  readonly state: ProgressState;
  /** To stay on the screen, and the only lines without a terminal. */
  readonly lasting: readonly string[];
  /** To be replaced by the next one; null when there is none. */
  readonly live: string | null;
}

export const progressAtStart: ProgressState = { doing: 'starting' };

/** What to print for an event. Pure: who prints keeps the state and clears the live line. */
export function progressLine(state: ProgressState, event: ProgressEvent, look: TerminalLook): Progress {
  const now = (doing: string): Progress => ({
    state: { doing },
    lasting: [shortened(doing, look.width)],
    live: shortened(`${doing} …`, look.width),
  });
  const lasting = (...lines: string[]): Progress => ({
    state,
    lasting: lines.map((line) => shortened(line, look.width)),
    live: null,
  });
  switch (event.kind) {
    case 'subject-starting':
      return now(`tier ${event.position} of ${event.total}: starting ${event.subject} (${event.title})`);
    case 'provider-progress':
      return now(`${event.subject}: ${event.what}`);
    case 'preparing-data':
      return now(`${event.subject}: seeding ${formatNumber(event.users)} users and ${formatNumber(event.tasks)} tasks`);
    case 'planned':
      return { state, lasting: [], live: null };
    case 'trial-started':
      return now(
        `${trialName(event)}: ${event.scenario} at ${describeLoad(event.load)}, ${formatSeconds(event.durationS)}`,
      );
    case 'interval': {
      const answered = event.p95S === null ? 'no answer' : `p95 ${formatSeconds(event.p95S)}`;
      const live = liveLine(state.doing, `${formatRate(event.requestsPerS)}  ${answered}`, event.time, look);
      return { state, lasting: [], live };
    }
    case 'waiting': {
      const doing = event.reason === 'rest' ? 'resting' : 'waiting for requests in flight';
      return { state: { doing }, lasting: [], live: liveLine(doing, formatSeconds(event.leftS), event.time, look) };
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
      return lasting(`${event.subject} is stopped`);
  }
}

/** `trial 3 of 12`, `trial 3 of 12, attempt 2`, `warming up` */
function trialName({ purpose, planned, attempt }: StudyEvent & { kind: 'trial-started' }): string {
  if (purpose === 'warm-up') return 'warming up';
  const name = planned === null ? purpose : `trial ${planned.position} of ${planned.total}`;
  return attempt === 1 ? name : `${name}, attempt ${attempt}`;
}

/** `trial 3 of 12: login at concurrency 10, 5 s  33/s  p95 312 ms  ████░░░░ 1 min 20 s left` */
function liveLine(doing: string, figures: string, time: TimeLeft, look: TerminalLook): string {
  const left = `${describeTimeLeft(time)} left`;
  const bar = progressBar(time.elapsedS, (time.atLeastS + time.atMostS) / 2, 16);
  // The narrower the terminal, the less is shown: first the bar goes, then what is happening is cut.
  const wide = [doing, figures, bar, left].join('  ');
  if (wide.length <= look.width) return painted(wide, bar, look);
  const rest = [figures, left].join('  ');
  const room = look.width - rest.length - 2;
  return room < 8 ? shortened(rest, look.width) : `${shortened(doing, room)}  ${rest}`;
}

/** Bounds that are near to each other are one figure. */
function describeTimeLeft({ atLeastS, atMostS }: TimeLeft): string {
  const [least, most] = [Math.ceil(atLeastS), Math.ceil(atMostS)];
  return most <= least * 1.2 + 5 ? formatSeconds(most) : `${formatSeconds(least)} to ${formatSeconds(most)}`;
}

export function progressBar(elapsedS: number, remainingS: number, cells: number): string {
  const total = elapsedS + Math.max(0, remainingS);
  const done = total > 0 ? Math.min(cells, Math.max(0, Math.round((elapsedS / total) * cells))) : 0;
  return '█'.repeat(done) + '░'.repeat(cells - done);
}

function painted(line: string, bar: string, { color }: TerminalLook): string {
  return color && bar !== '' ? line.replace(bar, `\u001b[36m${bar}\u001b[0m`) : line;
}
