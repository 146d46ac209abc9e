/** Text of a file for `node --env-file`. Values may be anything that one kind of quotation mark can hold. */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      // Within double ones a backslash and n would become a line break.
      const mark = [`'`, '`', '"'].find((each) => !value.includes(each) && !(each === '"' && value.includes('\\')));
      if (mark === undefined) throw new Error(`${name} holds every kind of quotation mark`);
      return `${name}=${mark}${value}${mark}\n`;
    })
    .join('');
}
