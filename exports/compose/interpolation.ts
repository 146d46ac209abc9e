/** Text that compose puts together from its environment. */
export interface Interpolation {
  /** Stands for a variable in any text: letters that neither an address nor a configuration file has to escape. */
  variable(name: string, fallback: string): string;
  /** Stands for a secret, which has no default: one that stands in a repository is known to everybody. */
  secret(name: string): string;
  /** The text for the compose file: every dollar sign is one, but those that read variables. */
  text(text: string): string;
  values(values: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
}

/** Of the database; other passwords are the same where they are not set. */
export const DATABASE_PASSWORD = 'POSTGRES_PASSWORD';

export function interpolation(): Interpolation {
  const placeholders = new Map<string, string>();
  const stands = (name: string, expression: string): string => {
    const placeholder = `__${name}__`;
    placeholders.set(placeholder, expression);
    return placeholder;
  };
  const required = (name: string) => `\${${name}:?set it, for example to $(openssl rand -hex 24)}`;
  const text = (written: string): string =>
    written
      .replaceAll('$', '$$$$')
      .replaceAll(/__[A-Z0-9_]+?__/gu, (placeholder) => placeholders.get(placeholder) ?? placeholder);
  return {
    variable: (name, fallback) => stands(name, `\${${name}:-${fallback}}`),
    secret(name) {
      const variable = name.toUpperCase().replaceAll(/\W/gu, '_');
      const other = variable !== DATABASE_PASSWORD && variable.endsWith('PASSWORD');
      return stands(variable, other ? `\${${variable}:-${required(DATABASE_PASSWORD)}}` : required(variable));
    },
    text,
    values: (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)])),
  };
}
