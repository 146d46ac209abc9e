import type { Caveat, Obstacle, Reason, WhyNot } from '../../harness/core/findings.ts';
import { describeLoad, loadLevel } from '../../harness/core/load.ts';
import type { JudgedTrial } from '../../harness/judging/judged-trial.ts';
import { describeObstacle } from '../describe/notes.ts';
import { describeCaveat, describeReason } from '../describe/reasons.ts';
import { withAdvice } from '../describe/remedies.ts';
import { describeWhyNot } from '../describe/verdicts.ts';
import type { Why } from '../document.ts';

/** What stands below a table as a numbered reason, of the findings in its cells. */

/** Of a valid trial none. */
export function whyInvalid({ validity, summary: { load } }: JudgedTrial): readonly Why[] {
  const reasons = validity.kind === 'valid' ? [] : validity.reasons;
  return reasons.map(
    (reason): Why => ({
      alike: alike(reason),
      text: withAdvice(describeReason, reason),
      at: describeLoad(load),
      level: loadLevel(load),
    }),
  );
}

export function whyCareful({ caveats, summary: { load } }: JudgedTrial): readonly Why[] {
  return caveats.map((caveat) => ({
    alike: alike(caveat),
    text: describeCaveat(caveat),
    at: describeLoad(load),
    level: loadLevel(load),
  }));
}

export function whyNotRun(obstacles: readonly Obstacle[]): readonly Why[] {
  return obstacles.map((obstacle) => whySo(describeObstacle(obstacle)));
}

/** Where there is no room for all: the first reason, which is most often the cause of the others. */
export function whyInvalidMost(trial: JudgedTrial): readonly Why[] {
  return whyInvalid(trial).slice(0, 1);
}

/** The first of each kind. `at`: where it was found, `crud on cached`. */
export function whyOpenMost(reasons: readonly WhyNot[], at: string): readonly Why[] {
  return whyOpen(
    reasons.filter(({ code }, index) => reasons.findIndex((other) => other.code === code) === index),
    at,
  );
}

/** `at`: where it was found, `crud on cached`. */
export function whyOpen(reasons: readonly WhyNot[], at: string): readonly Why[] {
  return reasons.map((reason) => ({
    alike: alike(reason),
    text: withAdvice(describeWhyNot, reason),
    at,
    level: 'load' in reason ? loadLevel(reason.load) : 0,
  }));
}

/** Why one tier has no figure, or none that can be compared. */
export function whyNotCompared(tier: string, why: WhyNot, level: number): Why {
  return { alike: `${tier} ${alike(why)}`, text: `${tier}: ${describeWhyNot(why)}`, at: '', level };
}

/** A text that no other is like. */
export function whySo(text: string): Why {
  return { alike: text, text, at: '', level: 0 };
}

/** Findings that differ in figures and loads only are alike. */
function alike(finding: Reason | Caveat | WhyNot): string {
  return JSON.stringify(finding, (key, value: unknown) =>
    typeof value === 'number' || key === 'load' || key === 'loads' ? undefined : value,
  );
}
