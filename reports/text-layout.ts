/** Breaks a text at its spaces so that no line is longer than `width`, unless one word is. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/u)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** As `wrapped`, each line behind `indent` spaces. */
export function indented(text: string, width: number, indent: number): readonly string[] {
  return wrapped(text, Math.max(8, width - indent)).map((line) => ' '.repeat(indent) + line);
}

export interface TextLook {
  /** Columns there are; 80 when nothing is said. */
  readonly width?: number;
  readonly color?: boolean;
}

export function emphasis(color: boolean | undefined) {
  const paint = (code: number) => (text: string) => (color === true ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { strong: paint(1), faint: paint(2) };
}
