/**
 * The Universal Scalability Law of N. Gunther (*Guerrilla Capacity Planning*, 2007): how throughput grows with
 * concurrency N, or with instances. X(N) = λN / (1 + σ(N − 1) + κN(N − 1)).
 *
 * λ is the throughput of one, σ the share of work that is done one after the other (contention), κ what each pair costs to
 * agree (coherency). Rates are per second, latencies in seconds. Equations: B. Schwartz, *Practical Scalability Analysis
 * with the Universal Scalability Law*, 2015, with Little's law N = X·R for those of latency.
 */
export interface Usl {
  readonly lambdaPerS: number;
  /** From 0 to 1. */
  readonly sigma: number;
  /** From 0 to 1. */
  readonly kappa: number;
}

export function uslThroughputPerS({ lambdaPerS, sigma, kappa }: Usl, concurrency: number): number {
  return (lambdaPerS * concurrency) / (1 + sigma * (concurrency - 1) + kappa * concurrency * (concurrency - 1));
}

/** The concurrency of the highest throughput: √((1 − σ)/κ), at least 1. Infinite where κ is 0: there is no peak. */
export function uslPeakConcurrency({ sigma, kappa }: Usl): number {
  return kappa === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.sqrt((1 - sigma) / kappa));
}

/** The throughput that is not exceeded at any concurrency: that of the peak, λ/σ without one, infinite without either. */
export function uslLimitPerS(model: Usl): number {
  const peak = uslPeakConcurrency(model);
  if (Number.isFinite(peak)) return uslThroughputPerS(model, peak);
  return model.sigma === 0 ? Number.POSITIVE_INFINITY : model.lambdaPerS / model.sigma;
}

/**
 * The concurrency before the peak that has this throughput: the smaller root of κN² + (σ − κ − λ/X)N + (1 − σ) = 0.
 * Null where no concurrency has it.
 */
export function uslConcurrencyAtThroughput(model: Usl, throughputPerS: number): number | null {
  const { lambdaPerS, sigma, kappa } = model;
  const linear = sigma - kappa - lambdaPerS / throughputPerS;
  const constant = 1 - sigma;
  const discriminant = linear ** 2 - 4 * kappa * constant;
  if (linear >= 0 || discriminant < 0) return null;
  // The form that does not subtract two nearly equal numbers, and holds for κ = 0.
  return (2 * constant) / (-linear + Math.sqrt(discriminant));
}
