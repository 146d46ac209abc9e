/**
 * The URL of a module of tierbench beside another one, named without its ending: `ownModule('./worker', import.meta.url)`.
 * It ends in .ts in the sources and in .js in the built package.
 */
export function ownModule(path: string, importer: string): URL {
  return new URL(`${path}.${importer.endsWith('.ts') ? 'ts' : 'js'}`, importer);
}
