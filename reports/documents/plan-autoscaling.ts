import { middle, type Workload } from '../../harness/core/plan.ts';
import { formatNumber, formatRate, formatRatio, formatSeconds } from '../../harness/core/units.ts';
import { type AutoscaledDay, autoscalingOf } from '../autoscaled-day.ts';
import { linearAxis } from '../charts/axes.ts';
import { type ChartDescription, fileNamePart, type Series, valuesOf } from '../charts/chart.ts';
import type { Block, Fact } from '../document.ts';
import type { TierWithPlan } from '../plan-choice.ts';
import { plural } from '../text.ts';

interface ScaledService extends AutoscaledDay {
  readonly tier: string;
  readonly service: string;
}

/** A day with an autoscaler for each service of a plan that has several instances; empty where none has. */
export function autoscalingBlocks(
  { tier, outcome: { plan, load } }: TierWithPlan,
  { dayCurve, headroomRatio, growthRatio, failures }: Workload,
): readonly Block[] {
  const peakPerS = load.peakPerS * (1 + middle(growthRatio));
  const scaled = plan.services.filter(
    ({ scales, instances, capacityPerS }) => scales && instances > 1 && Number.isFinite(capacityPerS.low),
  );
  if (scaled.length === 0) return [];
  return [
    { kind: 'heading', level: 2, text: 'With an autoscaler' },
    ...scaled.flatMap(({ name: service, capacityPerS }) => {
      const capacity = capacityPerS.low;
      return dayOf(
        {
          tier,
          service,
          peakPerS,
          capacityPerS: capacity,
          minimum: 1 + failures,
          targetUtilizationRatio: headroomRatio,
        },
        dayCurve,
      );
    }),
  ];
}

/** `dayCurve` null: a usual day, which is assumed. */
function dayOf(service: ScaledService, dayCurve: readonly number[] | null): readonly Block[] {
  const found = autoscalingOf(service, dayCurve);
  const { instanceHours, peakInstances, savingRatio, requestsBeyond, secondsBeyond, requests, question } = found;
  const saved =
    savingRatio > 0
      ? `${formatRatio(savingRatio)} fewer than with the ${plural(peakInstances, 'instance')} of the peak all day`
      : `no fewer than with the ${plural(peakInstances, 'instance')} of the peak all day`;
  const beyond =
    requestsBeyond === 0
      ? 'No request comes while instances are missing.'
      : `${formatNumber(requestsBeyond)} of ${formatNumber(requests)} requests (${formatRatio(requestsBeyond / requests)}) come in ${formatSeconds(secondsBeyond)} in which the instances that serve cannot carry them.`;
  const rows: readonly Fact[] = [
    ['Day', dayCurve === null ? 'assumed: people of one time zone' : 'the dayCurve of the workload'],
    ['Peak', formatRate(service.peakPerS)],
    ['One instance carries', formatRate(service.capacityPerS)],
    ['Instances at least', formatNumber(question.minimum)],
    ['Utilization aimed at', formatRatio(question.targetUtilizationRatio)],
    ['Nothing is changed within', formatRatio(question.toleranceRatio)],
    ['Looked at every', formatSeconds(question.stepS)],
    ['Fewer instances after', formatSeconds(question.stabilisationS)],
    ['An instance starts in', formatSeconds(question.startS)],
  ];
  return [
    {
      kind: 'paragraph',
      text: `With an autoscaler ${service.service} of ${service.tier} takes ${formatNumber(instanceHours)} instance hours on this day, ${saved}. ${beyond}`,
    },
    { kind: 'figure', chart: dayChart(service, found) },
    { kind: 'facts', caption: 'Rule of the autoscaler', rows },
  ];
}

/** A point every 10 minutes: the page stays small. */
const POINTS = 144;

function dayChart(
  { tier, service }: ScaledService,
  { steps, question, peakInstances }: ReturnType<typeof autoscalingOf>,
) {
  const every = Math.max(1, Math.floor(steps.length / POINTS));
  const shown = steps.flatMap((step, index) =>
    index % every === 0 ? [{ ...step, hour: (index * question.stepS) / 3600 }] : [],
  );
  const line = (
    label: string,
    style: number,
    of: (step: (typeof shown)[number]) => number,
    format: (y: number) => string,
  ) =>
    ({
      label,
      style,
      inLegend: true,
      marks: false,
      points: shown.map((step) => ({
        x: step.hour,
        y: of(step),
        text: `${format(of(step))} at ${formatNumber(step.hour)} h`,
      })),
    }) satisfies Series;
  const load = [line('load', 0, ({ ratePerS }) => ratePerS, formatRate)];
  const instances = [
    line('with the autoscaler', 1, ({ paid }) => paid, formatNumber),
    line('for the peak', 2, () => peakInstances, formatNumber),
  ];
  return {
    id: fileNamePart(`autoscaling.${tier}.${service}`),
    title: `Instances of ${service} over a day`,
    subtitle: `${tier} · simulated, not measured`,
    alt: `Load and instances of ${service} over a day: at most ${formatNumber(Math.max(...shown.map(({ paid }) => paid)))} instances.`,
    x: { ...linearAxis('Hour', [24], formatNumber), to: 24 },
    panels: [
      { y: linearAxis('Requests/s', valuesOf(load), formatNumber), weight: 1, series: load, targets: [] },
      { y: linearAxis('Instances', valuesOf(instances), formatNumber), weight: 1, series: instances, targets: [] },
    ],
    spans: [],
    moments: [],
  } satisfies ChartDescription;
}
