import { expect, test } from 'vitest';
import { TierbenchError } from '../../harness/core/errors.ts';
import { styled } from '../../reports/text.ts';
import { type OutputStream, outputOn, printError } from './streams.ts';

function terminal(changes: Partial<OutputStream> = {}) {
  const written: string[] = [];
  let fail: (error: NodeJS.ErrnoException) => void = () => undefined;
  const stream: OutputStream = {
    write: (text) => written.push(text),
    on(_, listener) {
      fail = listener;
    },
    isTTY: true,
    columns: 100,
    ...changes,
  };
  return { stream, written, fail: (code: string) => fail(Object.assign(new Error(code), { code })) };
}

function outputTo(out = terminal(), err = terminal(), environment: Readonly<Record<string, string>> = {}) {
  const lost: string[] = [];
  return {
    out,
    err,
    lost,
    output: outputOn(out.stream, err.stream, environment, (_, { message }) => lost.push(message)),
  };
}

test.each(['\u001b[31mred', '\u0000', '\u009b2J', '\rgone', '\u202eright to left'])(
  'a control character in a message is shown and not sent: %j',
  (text) => {
    const { output, out, err } = outputTo();
    output.out(text);
    output.live(text);
    printError(new TierbenchError('OPTIONS_INVALID', text, text, { problems: [{ what: text, file: text }] }), output);
    printError(new Error(text), output);
    const sent = [...out.written, ...err.written].join('').replaceAll('\r\u001b[2K', '');
    expect(sent).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    expect(sent).toContain('\\u');
  },
);

test('JSON with such characters is the same JSON', () => {
  const { output, out } = outputTo();
  const value = { a: '\u0085\u202e', b: '\u001b' };
  output.out(JSON.stringify(value));
  expect(JSON.parse(out.written.join(''))).toEqual(value);
});

test('colours are for a terminal that may have them', () => {
  const text = styled('strong', 'bold');
  const sent = (...args: Parameters<typeof outputTo>) => {
    const { output, out } = outputTo(...args);
    output.out(text);
    return out.written.join('');
  };
  expect(sent()).toBe('\u001b[1mbold\u001b[0m\n');
  for (const plain of [
    sent(terminal({ isTTY: false })),
    sent(terminal(), terminal(), { NO_COLOR: '1' }),
    sent(terminal(), terminal(), { TERM: 'dumb' }),
  ]) {
    expect(plain).toBe('bold\n');
  }
});

test.each([0, undefined])('a terminal of %s columns has a usable width', (columns) => {
  const { output } = outputTo(terminal({ columns }), terminal({ columns }));
  expect([output.width, output.errWidth]).toEqual([80, 80]);
});

test('a line of a file has no end, and a window that is resized is seen', () => {
  const err = { ...terminal().stream, columns: 100 };
  const output = outputOn(terminal({ isTTY: false, columns: undefined }).stream, err, {}, () => undefined);
  expect([output.width, output.errWidth]).toEqual([100, 100]);
  err.columns = 40;
  expect(output.errWidth).toBe(40);
  expect(outputTo(terminal(), terminal({ isTTY: false, columns: undefined })).output.errWidth).toBe(Infinity);
});

test('the live line is replaced by whatever is written next', () => {
  const { output, err } = outputTo();
  output.live('one');
  output.live('two');
  output.err('note');
  output.live('');
  expect(err.written).toEqual(['one', '\r\u001b[2K', 'two', '\r\u001b[2K', 'note\n']);
});

test('a reader that went away is no loss; a full disk is one, once', () => {
  const { out, err, lost } = outputTo();
  for (const code of ['EPIPE', 'EIO']) out.fail(code);
  err.fail('ENOSPC');
  expect(lost).toEqual([]);
  const full = outputTo();
  full.out.fail('ENOSPC');
  full.out.fail('ERR_STREAM_DESTROYED');
  expect(full.lost).toEqual(['ENOSPC']);
});
