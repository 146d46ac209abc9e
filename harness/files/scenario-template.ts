/** A scenario to start from, which loads and runs as it is. `command` measures it. */
export function scenarioTemplate(name: string, command: string): string {
  return `// What one virtual user does. Measure it with:
//
//   ${command}
//
// Plain TypeScript that imports nothing but the line below, so that it runs on every engine, k6 too.
import { defineScenario, send } from 'tierbench/scenarios';

export default defineScenario({
  name: '${name}',
  description: 'Reads the front page.',

  // Over and over, for as long as the load lasts. Mind the stars: \`*iteration\`, \`yield*\`.
  *iteration({ user, random }) {
    const answer = yield* send({
      name: 'front page', // Results are kept by this name.
      method: 'GET',
      path: '/', // Is appended to the address you measure.
      expectStatus: 200, // Another status counts as failed. Any 2xx is right when this is left out.
      check: (response) => response.text() !== '', // A wrong content counts as failed too.
    });
    if (!answer.ok) return; // Without an answer there is nothing to go on with.

    // More to use:
    //
    //   const login = yield* send({
    //     name: 'log in', method: 'POST', path: '/login',
    //     body: { json: { email: user.email, password: user.password } },   // Or form, text, bytes.
    //   });
    //   const token = valueAt(login.json(), 'token');              // import { valueAt }
    //   yield* send({ name: 'list', method: 'GET', path: '/list', headers: { authorization: \`Bearer \${token}\` } });
    //   yield* send({ name: 'same', method: 'GET', path: '/list', cookies: login.cookies });
    //
    //   yield* think(1 + random());                                // import { think }, and set \`hasThinkTime: true\` above.
    //   const page = integerBetween(random, 1, 10);                // import { integerBetween, pick }; never Math.random:
    //                                                              // the same seed must send the same requests.
    //
    // What every virtual user does once, before it is measured, goes into \`*begin({ user })\`; what that returns is
    // given to each iteration as \`session\`.
    void user;
    void random;
  },
});
`;
}
