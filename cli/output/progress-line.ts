import { describeLoad } from '../../harness/core/load.ts';
import type { RunEvent } from '../../harness/core/run-event.ts';
import { formatNumber, formatRate, formatSeconds } from '../../harness/core/units.ts';
import { shortened } from '../../reports/figures.ts';
import type { TerminalLook } from '../../reports/terminal.ts';

/** What the lines before have told; the next line goes on from it. */
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
export function progressLine(state: ProgressState, event: RunEvent, look: TerminalLook): Progress {
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
    case 'tier-starting':
      return now(`tier ${event.position} of ${event.total}: bringing up ${event.tier} (${event.title})`);
    case 'provider-progress':
      return now(`${event.tier}: ${event.what}`);
    case 'preparing-data':
      return now(`${event.tier}: seeding ${formatNumber(event.users)} users and ${formatNumber(event.tasks)} tasks`);
    case 'trial-started':
      return now(
        `${event.purpose === 'warm-up' ? 'warming up' : `trial ${event.sequence} of ${event.total}`}: ${event.scenario} at ${describeLoad(event.load)}, ${formatSeconds(event.durationS)}`,
      );
    case 'interval':
      return { state, lasting: [], live: liveLine(state, event, look) };
    case 'trial-finished':
      return lasting(`  ${event.summary}`);
    case 'note':
      return lasting(`note: ${event.text}`);
    case 'cooling-down':
      return { ...now(`cooling down for ${formatSeconds(event.durationS)}`), lasting: [] };
    case 'tier-stopped':
      return lasting(`${event.tier} is stopped`);
    case 'report-written':
      return lasting(`report written to ${event.folder}`);
  }
}

/** `trial 3 of 12: login at concurrency 10, 5 s  33/s  p95 312 ms  ████░░░░ 1 min 20 s left` */
function liveLine({ doing }: ProgressState, event: RunEvent & { kind: 'interval' }, look: TerminalLook): string {
  const figures = `${formatRate(event.requestsPerS)}  ${event.p95S === null ? 'no answer' : `p95 ${formatSeconds(event.p95S)}`}`;
  const left = event.remainingS === null ? '' : `${formatSeconds(Math.ceil(event.remainingS))} left`;
  const bar = event.remainingS === null ? '' : progressBar(event.elapsedS, event.remainingS, 16);
  // The narrower the terminal, the less is told: first the bar goes, then what is happening is cut.
  const wide = [doing, figures, bar, left].filter((part) => part !== '').join('  ');
  if (wide.length <= look.width) return painted(wide, bar, look);
  const rest = [figures, left].filter((part) => part !== '').join('  ');
  const room = look.width - rest.length - 2;
  return room < 8 ? shortened(rest, look.width) : `${shortened(doing, room)}  ${rest}`;
}

export function progressBar(elapsedS: number, remainingS: number, cells: number): string {
  const total = elapsedS + Math.max(0, remainingS);
  const done = total > 0 ? Math.min(cells, Math.max(0, Math.round((elapsedS / total) * cells))) : 0;
  return '█'.repeat(done) + '░'.repeat(cells - done);
}

function painted(line: string, bar: string, { color }: TerminalLook): string {
  return color && bar !== '' ? line.replace(bar, `\u001b[36m${bar}\u001b[0m`) : line;
}
