import { formatNumber } from '../harness/core/units.ts';

/** Text as people read it, the same in every format: plurals, lists, lines of a width, and what is not a letter made visible. */

/**
 * Names and messages may come from a file, a server or a setting. What would move a cursor, change a colour, turn the
 * direction of the text or not be seen at all is shown as `\u001b`. Line ends stay.
 */
export function visible(text: string): string {
  return text.replaceAll(
    /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Noncharacter_Code_Point}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${formatNumber(amount)} ${amount === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c` */
export function list(words: readonly string[], last = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

/** One line of `width` characters at most. */
export function shortened(text: string, width: number): string {
  const letters = [...visible(text.replaceAll(/\s*\n\s*/gu, ' '))];
  return letters.length <= width ? letters.join('') : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** A name of any length, cut to what a legend or a title holds. */
export function chartName(name: string): string {
  return shortened(name, 40);
}

/** Lines broken at spaces so that none is longer than `width`, unless one word is; each behind `indent` spaces. */
export function indented(text: string, width: number, indent: number): readonly string[] {
  const room = Math.max(8, width - indent);
  const lines: string[] = [];
  for (const word of visible(text).split(/\s+/u)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => ' '.repeat(indent) + line);
}

const styleCodes = {
  strong: 1,
  faint: 2,
  met: 32,
  missed: 31,
  inconclusive: 33,
  'not-judged': 2,
  progress: 36,
} as const;
export type Style = keyof typeof styleCodes;
const styleNames = Object.keys(styleCodes) as Style[];

/** Unicode keeps these for use inside a program: no text that is shown has them. */
const FIRST_MARK = 0xfdd0;
const END_MARK = '\ufdef';

/** Marks a text to be bold or coloured. Only where it is printed is it known whether there are colours (`forTerminal`). */
export function styled(style: Style, text: string): string {
  if (text.trim() === '') return text;
  return `${String.fromCodePoint(FIRST_MARK + styleNames.indexOf(style))}${text}${END_MARK}`;
}

/** What a terminal is sent: marks as colours or left out, everything else visible. */
export function forTerminal(text: string, color: boolean): string {
  return text
    .split(/([\ufdd0-\ufdef])/u)
    .map((part, index) => {
      if (index % 2 === 0) return visible(part);
      if (!color) return '';
      const style = styleNames[(part.codePointAt(0) ?? 0) - FIRST_MARK];
      return `\u001b[${style === undefined ? 0 : styleCodes[style]}m`;
    })
    .join('');
}

export function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
