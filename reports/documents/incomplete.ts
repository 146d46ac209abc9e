import type { StudyStatus } from '../../harness/core/study-record.ts';
import type { Block } from '../document.ts';

/** What a reader must know of a study that did not end by itself. */
export function incompleteNote(status: StudyStatus): readonly Block[] {
  const text = describeIncomplete(status);
  return text === null ? [] : [{ kind: 'note', title: 'Incomplete', text }];
}

function describeIncomplete(status: StudyStatus): string | null {
  switch (status.state) {
    case 'finished':
      return null;
    case 'running':
      return 'The run has not ended: it is still running, or it was killed. The report shows what was measured so far.';
    case 'interrupted':
      return 'The run was interrupted. The report shows what was measured until then.';
    case 'failed':
      return `The run failed (${status.code}): ${sentence(status.what)} ${sentence(status.nextStep)} The report shows what was measured until then.`;
  }
}

/** Messages of errors end with or without a full stop. */
export function sentence(text: string): string {
  return /[.!?]$/u.test(text) ? text : `${text}.`;
}
