/**
 * Which of several p-values stand when all are looked at together: the chance that any that should not stand does is at
 * most `level`, however they depend on each other (S. Holm, *A Simple Sequentially Rejective Multiple Test Procedure*,
 * Scandinavian Journal of Statistics 6, 1979). The smallest must be at most level / n, the next level / (n - 1), and so
 * on; the first that is not ends it.
 */
export function holm(pValues: readonly number[], level: number): readonly boolean[] {
  const stands = pValues.map(() => false);
  const ascending = pValues
    .map((pValue, index) => ({ pValue, index }))
    .toSorted((one, other) => one.pValue - other.pValue);
  for (const [rank, { pValue, index }] of ascending.entries()) {
    if (pValue > level / (pValues.length - rank)) break;
    stands[index] = true;
  }
  return stands;
}
