/** `text` without the given values and without passwords in URLs. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets.toSorted((left, right) => right.length - left.length)) {
    if (secret.length >= 4) redacted = redacted.replaceAll(secret, '[redacted]');
  }
  return redacted.replace(/(\w+:\/\/[^\s:/@]*):[^\s@/]+@/g, '$1:[redacted]@');
}
