/** What is asked of a gateway's access control, in the words of the evaluation that asks it. Data only: scenarios cite the ids. */
export interface Requirement {
  readonly id: string;
  readonly kind: 'test' | 'gate';
  readonly title: string;
  readonly text: string;
  /** Where the words are from. */
  readonly source: string;
}

const evaluation = 'Policy: who may call what, what may go in, what may come out, and why';
const tests = `${evaluation} / The five tests and five gates`;
const gates = `${evaluation} / Gates`;

export const accessControl = [
  {
    id: 'access.isolation',
    kind: 'test',
    title: 'Two users on one gateway',
    text: "Grant user A the GitHub tools and user B the Atlassian tools on **one** gateway. A can't invoke Atlassian tools even knowing the name; A's list doesn't show them; the refusal is indistinguishable from an unknown tool.",
    source: `${tests} / 1`,
  },
  {
    id: 'access.input-block',
    kind: 'test',
    title: 'A rule blocks inputs',
    text: "A rule blocks inputs that hold a pattern (a mock SSN). A matching input is refused before execution (the tool's own counter stays) and logged.",
    source: `${tests} / 2`,
  },
  {
    id: 'access.output-redaction',
    kind: 'test',
    title: 'A rule redacts outputs',
    text: "A rule redacts a field from outputs; it is absent from the agent's answer, in `content`, in `structuredContent`, inside JSON text, in streamed and error results.",
    source: `${tests} / 3`,
  },
  {
    id: 'access.live-grants',
    kind: 'test',
    title: 'Grants are live',
    text: 'A new grant takes effect on the next call and pushes `tools/list_changed`, with nothing restarted; so does a removed one, for calls under way in a session.',
    source: `${tests} / 4`,
  },
  {
    id: 'access.worker-bypass',
    kind: 'test',
    title: 'The way around the gateway',
    text: 'Calling the worker around the gateway is prevented or documented: worker tokens live ≤ 60 s, carry `jti`, `iss` and a digest of the request; the SDK refuses a replayed or altered one (opt-in strict mode, so that stock workers still work).',
    source: `${tests} / 5`,
  },
  {
    id: 'gate.isolation',
    kind: 'gate',
    title: 'Isolation',
    text: 'isolation at the gateway whatever the client does',
    source: `${gates} / 1`,
  },
  {
    id: 'gate.blocked-before-execution',
    kind: 'gate',
    title: 'Blocked before execution',
    text: 'blocked before execution',
    source: `${gates} / 2`,
  },
  {
    id: 'gate.redacted-means-absent',
    kind: 'gate',
    title: 'Redacted means absent',
    text: 'redacted means absent',
    source: `${gates} / 3`,
  },
  {
    id: 'gate.every-decision-recorded',
    kind: 'gate',
    title: 'Every decision is recorded',
    text: 'every allow, block and redact has a retrievable record',
    source: `${gates} / 4`,
  },
  {
    id: 'gate.no-restart',
    kind: 'gate',
    title: 'No restart',
    text: 'grants change without restart',
    source: `${gates} / 5`,
  },
] as const satisfies readonly Requirement[];

export type RequirementId = (typeof accessControl)[number]['id'];
