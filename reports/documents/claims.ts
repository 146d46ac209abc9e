import { formatBound } from '../../harness/core/units.ts';
import type { Analysis } from '../analysis.ts';
import type { JudgedClaim } from '../claims.ts';
import { type Block, type CellDraft, type Document, head, left, right, table } from '../document.ts';
import { dateTime, verdictWords } from '../figures.ts';
import { plural } from '../text.ts';

/** What `tierbench targets --result` says: every figure that a model judges, with the calculation. */
export function claimsDocument(claims: readonly JudgedClaim[], { facts }: Analysis, scenario: string): Document {
  const count = (verdict: JudgedClaim['verdict']) => claims.filter((claim) => claim.verdict === verdict).length;
  const documents = Map.groupBy(claims, ({ target }) => target.source.document);
  return {
    title: 'Figures of the documents, judged by a plan',
    subtitle: `${scenario}, from run ${facts.runId} of ${dateTime(facts.startedAt)} on ${facts.machine.cpuModel}, ${plural(facts.machine.cpus, 'core')}`,
    blocks: [
      {
        kind: 'answer',
        answers: [
          {
            about: '',
            statement: `Of ${plural(claims.length, 'figure')} that a model judges, ${count('met')} are met, ${count('missed')} missed and ${count('inconclusive')} inconclusive.`,
            because: 'The CPUs are those of the run: what is missed here by a factor may be met on faster ones.',
          },
        ],
      },
      ...[...documents].map(
        ([document, own]): Block => ({
          kind: 'table',
          table: table(
            document,
            [head('Figure'), right('Documented'), left('Verdict'), left('Calculation')],
            own.map(({ target, verdict, calculation }): CellDraft[] => [
              { text: target.title, detail: target.id },
              { text: formatBound(target) },
              { text: verdictWords[verdict], verdict },
              { text: calculation },
            ]),
          ),
        }),
      ),
    ],
    footer:
      'Plans: docs/plan.md. Users are those of a day with 3 sessions of 20 requests and a peak of 3 times the mean.',
  };
}

export function claimsReport(claims: readonly JudgedClaim[], { facts }: Analysis, scenario: string): string {
  const judged = claims.map(({ target: { id }, ...claim }) => ({ target: id, ...claim }));
  return `${JSON.stringify({ schemaVersion: 1, runId: facts.runId, scenario, judged }, null, 2)}\n`;
}
