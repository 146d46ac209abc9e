// prettier-ignore
const twoSided95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
];

/**
 * The two-sided 95 % point of Student's t: P(|T| > t) = 0.05. From 1 degree of freedom on; above 20 the value for
 * 20, which is a little too large and so errs towards wide intervals. Any table has them (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
 */
export function studentT95(degreesOfFreedom: number): number {
  return twoSided95[Math.min(degreesOfFreedom, twoSided95.length) - 1] ?? Number.POSITIVE_INFINITY;
}
