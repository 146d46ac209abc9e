import { formatNumber, formatRate, formatRatio } from '../../harness/core/units.ts';
import type { HeldOut, HeldOutModel } from '../../harness/models/held-out.ts';
import { type Block, type CellDraft, head, left, right, table } from '../document.ts';
import { estimateWithInterval } from '../figures.ts';
import type { SweepCurve, SweepPoint } from '../sweep.ts';
import { list, plural } from '../text.ts';

const modelTexts = {
  demands: 'service demands (bottleneck law)',
  usl: 'Universal Scalability Law',
  interpolation: 'between its neighbours',
} as const satisfies Readonly<Record<HeldOutModel, string>>;

type Predicted = SweepPoint & { readonly heldOut: HeldOut };

/**
 * Each value of a sweep, predicted from the others beside what was measured: how far off plans from these models are. Empty
 * where nothing could be predicted.
 */
export function heldOutBlocks(curves: readonly SweepCurve[]): readonly Block[] {
  const rows = curves.flatMap((curve) =>
    curve.points.flatMap((point) => (isPredicted(point) ? [{ curve, point }] : [])),
  );
  if (rows.length === 0) return [];
  const errors = rows.map(({ point }) => Math.abs(point.heldOut.errorRatio)).toSorted((one, other) => one - other);
  const inside = rows.filter(({ point }) => point.heldOut.isInside).length;
  const models = [...new Set(rows.map(({ point }) => modelTexts[point.heldOut.model]))];
  const middle = errors[Math.floor((errors.length - 1) / 2)] ?? 0;
  return [
    {
      kind: 'paragraph',
      text: `Of ${plural(rows.length, 'measured value')}, each predicted from the others by ${list(models)}, ${inside} lie inside the interval of the prediction. Half of the predictions are within ${formatRatio(middle)}, the worst is ${formatRatio(errors.at(-1) ?? 0)} off.`,
    },
    {
      kind: 'table',
      table: table(
        'Predicted from the other values of the sweep, and measured, in iterations/s',
        [head('Subject'), head('Scenario'), right('Predicted'), right('Measured'), right('Off by'), left('By')],
        rows.map(({ curve, point: { subject, heldOut } }): CellDraft[] => [
          { text: subject },
          { text: curve.scenario },
          { text: estimateWithInterval(heldOut.predictedPerS, formatNumber) },
          { text: formatRate(heldOut.measuredPerS.value), strong: !heldOut.isInside },
          {
            text: `${heldOut.errorRatio < 0 ? '−' : '+'}${formatRatio(Math.abs(heldOut.errorRatio))}`,
            ...(!heldOut.isInside && { detail: 'outside of the interval' }),
          },
          { text: modelTexts[heldOut.model] },
        ]),
      ),
    },
  ];
}

function isPredicted(point: SweepPoint): point is Predicted {
  return point.heldOut !== null;
}
