import { type ProgressEvent, progressAtStart, progressLine } from './output/progress-line.ts';
import type { Output } from './output/streams.ts';

/** Shows what happens: one line that lives on a terminal, plain lines elsewhere, nothing when quiet. */
export interface ProgressDisplay extends Disposable {
  show(event: ProgressEvent): void;
}

export function progressDisplay(output: Output, quiet: boolean): ProgressDisplay {
  if (quiet) return { show() {}, [Symbol.dispose]() {} };
  let state = progressAtStart;
  let heading: readonly string[] = [];
  return {
    show(event) {
      const progress = progressLine(state, event, output.errWidth);
      state = progress.state;
      if (output.errIsTerminal && progress.live !== null) {
        // A heading stays only when a line is printed below it.
        if (progress.lasting.length > 0) heading = progress.lasting;
        output.live(progress.live);
        return;
      }
      for (const line of [...heading, ...progress.lasting]) output.err(line);
      heading = [];
      output.live('');
    },
    [Symbol.dispose]: () => output.live(''),
  };
}
