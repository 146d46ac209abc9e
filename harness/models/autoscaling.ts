/** The rule of the Horizontal Pod Autoscaler on a curve of load. Rates are requests/s. */
export interface AutoscalingQuestion {
  /** The load at each step. */
  readonly ratesPerS: readonly number[];
  readonly stepS: number;
  /** Of one instance, within the targets. */
  readonly capacityPerS: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The utilization that the rule aims at, of the capacity: 0.7. */
  readonly targetUtilizationRatio: number;
  /** Nothing is changed while the utilization is so near to the target: 0.1. */
  readonly toleranceRatio: number;
  /** Instances are removed down to the most that any step of so long before asked for. */
  readonly stabilisationS: number;
  /** How long a new instance takes until it serves. */
  readonly startS: number;
}

export interface AutoscaledStep {
  readonly ratePerS: number;
  /** Those that serve; what is started besides is paid for too. */
  readonly serving: number;
  readonly paid: number;
  readonly utilizationRatio: number;
  /** Requests/s beyond the capacity of those that serve. */
  readonly beyondPerS: number;
}

export interface Autoscaling {
  readonly steps: readonly AutoscaledStep[];
  readonly instanceHours: number;
  /** With as many instances all the time as the busiest step needs at the target utilization. */
  readonly peakInstances: number;
  readonly peakInstanceHours: number;
  /** Of the instance hours of the peak, what is saved; below 0 where more is paid. */
  readonly savingRatio: number;
  readonly requests: number;
  /** Requests that came while the instances that served could not carry them, and in how many seconds. */
  readonly requestsBeyond: number;
  readonly secondsBeyond: number;
  readonly highestInstances: number;
}

/**
 * desired = ceil(current × utilization / target), nothing within the tolerance; fewer only after the stabilisation window
 * (Kubernetes documentation, *Horizontal Pod Autoscaling*, algorithm details). As there, an instance that is not ready counts
 * as one and the metric is the load over all that were ordered, so that a slow start orders nothing twice. It looks at the
 * load of a step once, at its end, and begins with what the first step needs.
 */
export function simulateAutoscaling(question: AutoscalingQuestion): Autoscaling {
  const { ratesPerS, stepS, capacityPerS, minimum, maximum, targetUtilizationRatio, stabilisationS, startS } = question;
  const bounded = (instances: number) => Math.min(maximum, Math.max(minimum, instances));
  const needed = (ratePerS: number) => bounded(wholeFrom(ratePerS / (capacityPerS * targetUtilizationRatio)));
  let ordered = needed(ratesPerS[0] ?? 0);
  let ready = ordered;
  let readyAtS = 0;
  const wanted: { readonly atS: number; readonly instances: number }[] = [];
  const steps = ratesPerS.map((ratePerS, index): AutoscaledStep => {
    const atS = index * stepS;
    // Those that become ready within the step serve the rest of it.
    const waitS = ordered > ready ? Math.min(stepS, Math.max(0, readyAtS - atS)) : 0;
    const serving = ready + (ordered - ready) * (1 - waitS / stepS);
    const beyondPerS =
      (Math.max(0, ratePerS - ready * capacityPerS) * waitS +
        Math.max(0, ratePerS - ordered * capacityPerS) * (stepS - waitS)) /
      stepS;
    const paid = ordered;
    if (atS + stepS >= readyAtS) ready = ordered;
    const utilizationRatio = ratePerS / (ordered * capacityPerS);
    const desired = desiredOf(ordered, utilizationRatio, question);
    const endS = atS + stepS;
    wanted.push({ atS: endS, instances: desired });
    const lately = wanted.filter((each) => each.atS > endS - stabilisationS).map(({ instances }) => instances);
    const next = bounded(desired >= ordered ? desired : Math.min(ordered, Math.max(desired, ...lately)));
    if (next > ordered) readyAtS = endS + startS;
    ready = Math.min(ready, next);
    ordered = next;
    return { ratePerS, serving, paid, utilizationRatio, beyondPerS };
  });
  const peakInstances = Math.max(...ratesPerS.map(needed));
  const hours = (instances: number) => (instances * stepS) / 3600;
  const instanceHours = hours(steps.reduce((total, { paid }) => total + paid, 0));
  const peakInstanceHours = hours(peakInstances * steps.length);
  const beyond = steps.filter(({ beyondPerS }) => beyondPerS > 0);
  return {
    steps,
    instanceHours,
    peakInstances,
    peakInstanceHours,
    savingRatio: 1 - instanceHours / peakInstanceHours,
    requests: stepS * ratesPerS.reduce((total, rate) => total + rate, 0),
    requestsBeyond: stepS * beyond.reduce((total, { beyondPerS }) => total + beyondPerS, 0),
    secondsBeyond: stepS * beyond.length,
    highestInstances: Math.max(...steps.map(({ paid }) => paid)),
  };
}

function desiredOf(current: number, utilizationRatio: number, question: AutoscalingQuestion): number {
  const { targetUtilizationRatio, toleranceRatio, minimum, maximum } = question;
  const ratio = utilizationRatio / targetUtilizationRatio;
  if (Math.abs(ratio - 1) <= toleranceRatio * (1 + 1e-9)) return current;
  return Math.min(maximum, Math.max(minimum, wholeFrom(current * ratio)));
}

/** Rounded up, where 6.0000000001 is 6. */
function wholeFrom(value: number): number {
  return Math.ceil(value * (1 - 1e-9));
}

/** A day of 24 hourly loads as rates every `stepS`, going evenly from the middle of each hour to that of the next, round the clock. */
export function ratesOfDay(hourlyLoads: readonly number[], peakPerS: number, stepS: number): readonly number[] {
  const highest = Math.max(...hourlyLoads);
  const hourS = 86_400 / hourlyLoads.length;
  return Array.from({ length: Math.round(86_400 / stepS) }, (_, step) => {
    const at = ((step + 0.5) * stepS) / hourS - 0.5;
    const before = Math.floor(at);
    const loadAt = (hour: number) => hourlyLoads.at(hour % hourlyLoads.length) ?? 0;
    const load = loadAt(before) + (at - before) * (loadAt(before + 1) - loadAt(before));
    return (load / highest) * peakPerS;
  });
}
