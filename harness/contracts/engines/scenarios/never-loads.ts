import { defineScenario } from '../../../../scenarios/kit.ts';

await new Promise<never>(() => {});

export default defineScenario({
  name: 'never-loads',
  description: 'An import that does not settle.',
  *iteration() {},
});
