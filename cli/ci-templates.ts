import { version } from '../harness/machine/own-package.ts';

/** Files that gate each pull request, to be changed by whoever has them. */
export interface CiTemplate {
  readonly file: string;
  readonly text: string;
  /** What is left to do. */
  readonly next: string;
}

/** As in action.yml, whose steps these are without the action: a test holds them together. */
export const commentScript = `[ -s "$COMMENT" ] || exit 0
call() { curl -fsS --retry 2 -H "Authorization: Bearer $TOKEN" -H 'Accept: application/vnd.github+json' "$@"; }
comments="$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues"
marker=$(head -n 1 "$COMMENT")
id=
for page in 1 2 3 4 5; do
  found=$(call "$comments/$NUMBER/comments?per_page=100&page=$page") || break
  id=$(jq -r --arg marker "$marker" 'map(select(.body | startswith($marker)))[0].id // empty' <<< "$found")
  [ -z "$id" ] && [ "$(jq length <<< "$found")" -eq 100 ] || break
done
if [ -n "$id" ]; then place=(-X PATCH "$comments/comments/$id"); else place=(-X POST "$comments/$NUMBER/comments"); fi
job="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
# A pull request of a fork may not write.
jq -Rs --arg job "$job" '{ body: (. + "\\n[The job](" + $job + ") has all results.\\n") }' "$COMMENT" | call "\${place[@]}" --data-binary @- > /dev/null ||
  echo '::warning::the comment could not be written; it is in the summary of the job'
`;

export const ciTemplates: Readonly<Record<'github' | 'gitlab', () => CiTemplate>> = {
  github: () => ({
    file: '.github/workflows/tierbench.yml',
    text: `name: tierbench
on: pull_request

permissions:
  contents: read
  pull-requests: write

concurrency:
  group: \${{ github.workflow }}-\${{ github.ref }}
  cancel-in-progress: true

jobs:
  gate:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@v5
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - run: npm ci
      # 0 not slower, 2 slower, 3 this runner is too noisy to tell: here a warning.
      - name: Is it slower?
        env:
          BASE: \${{ github.event.pull_request.base.sha }}
        run: |
          code=0
          npx --yes tierbench@${version()} gate --base "$BASE" --provider local --out tierbench-gate \\
            --junit tierbench-gate.xml --comment tierbench-gate.md || code=$?
          [ "$code" -ne 3 ] || { echo '::warning::this runner is too noisy to tell'; code=0; }
          exit "$code"
      - name: Comment
        if: always()
        env:
          COMMENT: tierbench-gate.md
          NUMBER: \${{ github.event.pull_request.number }}
          TOKEN: \${{ github.token }}
        shell: bash
        run: |
${indented(commentScript, 10)}      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: tierbench-gate
          path: tierbench-gate*
`,
    next: 'commit it: each pull request is held against its base',
  }),
  gitlab: () => ({
    file: 'tierbench.gitlab-ci.yml',
    text: `# Included in .gitlab-ci.yml: include: { local: tierbench.gitlab-ci.yml }
tierbench:
  image: node:24
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  variables:
    GIT_DEPTH: 0
  timeout: 30 minutes
  # 0 not slower, 2 slower, 3 this runner is too noisy to tell: a warning.
  allow_failure:
    exit_codes: 3
  script:
    - npm ci
    - npx --yes tierbench@${version()} gate --base "$CI_MERGE_REQUEST_DIFF_BASE_SHA" --provider local --out tierbench-gate
      --junit tierbench-gate.xml --comment tierbench-gate.md
  artifacts:
    when: always
    paths: [tierbench-gate, tierbench-gate.md]
    reports:
      junit: tierbench-gate.xml
`,
    next: 'add to .gitlab-ci.yml: include: { local: tierbench.gitlab-ci.yml }',
  }),
};

function indented(text: string, spaces: number): string {
  return text.replaceAll(/^(?=.)/gmu, ' '.repeat(spaces));
}
