import { DockerfileParser } from 'dockerfile-ast';
import type { LintFile } from '../lint-file.ts';
import type { Rule, Say } from '../rule.ts';

export const dockerfile: Rule = {
  id: 'dockerfile',
  level: 'warning',
  what: 'a Dockerfile names base images by digest, ends as a numeric user, and has a .dockerignore beside it',
  why: 'A base image by its tag is another one next week. A USER by name cannot be checked by the kubelet, so runAsNonRoot refuses the pod. Without .dockerignore, .env and .git end up in the image.',
  fixable: false,
  check: ({ files }, say) => {
    for (const file of files) {
      if (file.kind === 'dockerfile' && file.text !== null) checkDockerfile(file, file.text, say);
    }
  },
};

function checkDockerfile({ shown: file, dockerignore }: LintFile, contents: string, say: Say): void {
  const parsed = DockerfileParser.parse(contents);
  const told = (line: number, column: number, message: string) =>
    say({ file, line: line + 1, column: column + 1 }, message);
  const froms = parsed.getFROMs();
  const stages = new Set<string>();
  for (const from of froms) {
    const range = from.getImageRange() ?? from.getRange();
    const image = from.getImage() ?? '';
    const isStage = stages.has(image.toLowerCase()) || image === 'scratch' || image.includes('$');
    if (!isStage && from.getImageDigestRange() === null)
      told(range.start.line, range.start.character, `${image} has no digest: name it as ${image}@sha256:….`);
    const stage = from.getBuildStage();
    if (stage !== null) stages.add(stage.toLowerCase());
  }
  const last = froms.at(-1);
  if (last === undefined) {
    told(0, 0, 'A Dockerfile begins with FROM.');
    return;
  }
  const users = parsed
    .getInstructions()
    .filter((one) => one.getKeyword() === 'USER' && one.getRange().start.line > last.getRange().start.line);
  const user = users.at(-1);
  const name = user?.getArgumentsContent()?.trim() ?? '';
  const at = (user ?? last).getRange().start;
  if (user === undefined) told(at.line, at.character, 'The image runs as root: end it with USER 10001.');
  else if (!/^\d+(:\d+)?$/.test(name) && !name.includes('$'))
    told(
      at.line,
      at.character,
      `The kubelet cannot tell whether ${name} is root: name the user by its number, such as USER 10001.`,
    );
  else if (/^0+(:|$)/.test(name)) told(at.line, at.character, 'User 0 is root: use another, such as 10001.');
  checkInstalls(parsed, told);
  if (dockerignore !== true)
    told(0, 0, 'There is no .dockerignore beside it, so .git and .env become part of the image: add one.');
}

function checkInstalls(
  parsed: ReturnType<typeof DockerfileParser.parse>,
  told: (line: number, column: number, message: string) => void,
): void {
  for (const run of parsed.getInstructions().filter((one) => one.getKeyword() === 'RUN')) {
    const { line, character } = run.getRange().start;
    const command = run.getArgumentsContent() ?? '';
    if (/\bnpm\s+(install|i)(\s|$)(?!.*(-g|--global))/.test(command))
      told(
        line,
        character,
        'npm install takes what is newest: use npm ci, which takes what the lock file says.',
      );
    const pip = /\bpip3?\s+install\b(?!.*(--require-hashes|--no-deps\s+\.|-e\s))/.exec(command);
    if (pip !== null && !/\bpip3?\s+install\s+(-\S+\s+)*(\.|\/)/.test(command))
      told(
        line,
        character,
        'pip takes whatever the index has today: install a lock file with --require-hashes.',
      );
  }
}
