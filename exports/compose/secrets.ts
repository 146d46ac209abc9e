/**
 * What stands for a secret until the file is written: letters that neither an address nor a configuration file has to
 * escape. `interpolated` puts in their place how compose reads them from the environment.
 */
export const secretPlaceholders = {
  postgresPassword: '__POSTGRES_PASSWORD__',
  redisPassword: '__REDIS_PASSWORD__',
  jwtSecret: '__JWT_SECRET__',
} as const;

/** What compose reads from the environment: `required('JWT_SECRET', ...)` and `fromEnvironment('PORT', '3000')`. */
export function fromEnvironment(name: string, otherwise: string): string {
  return `\${${name}:-${otherwise}}`;
}

function required(name: string, example: string): string {
  return `\${${name}:?set it, for example to $(${example})}`;
}

/** No secret has a default: one that stands in a repository is known to everybody. */
const postgresPassword = required('POSTGRES_PASSWORD', 'openssl rand -hex 24');
const secrets: Readonly<Record<string, string>> = {
  [secretPlaceholders.postgresPassword]: postgresPassword,
  [secretPlaceholders.redisPassword]: fromEnvironment('REDIS_PASSWORD', postgresPassword),
  [secretPlaceholders.jwtSecret]: required('JWT_SECRET', 'openssl rand -base64 48'),
};

/** Text for a compose file: every dollar sign is one, but those that read the secrets. */
export function interpolated(text: string): string {
  return text
    .replaceAll('$', '$$$$')
    .replaceAll(/__[A-Z]+_[A-Z]+__/gu, (placeholder) => secrets[placeholder] ?? placeholder);
}

export function interpolatedValues(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, interpolated(value)]));
}
