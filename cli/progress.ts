import { type ProgressEvent, progressAtStart, progressLine } from './output/progress-line.ts';
import type { Output } from './output/streams.ts';

/** Shows what happens: one line that lives on a terminal, plain lines elsewhere, nothing when quiet. */
export interface ProgressDisplay extends Disposable {
  show(event: ProgressEvent): void;
}

const CLEAR_LINE = '\r\u001b[2K';

export function progressDisplay(output: Output, quiet: boolean): ProgressDisplay {
  if (quiet) return { show() {}, [Symbol.dispose]() {} };
  let state = progressAtStart;
  let live = '';
  let heading: readonly string[] = [];
  const look = { width: output.errWidth, color: output.color };
  const clear = () => {
    if (live !== '') process.stderr.write(CLEAR_LINE);
    live = '';
  };
  return {
    show(event) {
      const progress = progressLine(state, event, look);
      state = progress.state;
      if (!output.errIsTerminal) {
        for (const line of progress.lasting) output.err(line);
        return;
      }
      clear();
      if (progress.live === null) {
        // A heading stays only when a line is printed below it.
        for (const line of [...heading, ...progress.lasting]) output.err(line);
        heading = [];
      } else {
        if (progress.lasting.length > 0) heading = progress.lasting;
        process.stderr.write(progress.live);
      }
      live = progress.live ?? '';
    },
    [Symbol.dispose]: clear,
  };
}
