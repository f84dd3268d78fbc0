import type { LargeResult, SourceFailure } from '#domain';
import { type Clock, err, jsonMembers, ok, type Result } from '#foundation';
import type { CallFailure, KnownTools } from '../../contract.ts';
import { listKnownFrom, type ReadList } from '../../read-list.ts';
import { tooLong } from '../../steps.ts';
import { createToolIntake, type TakenTools, type ToolIntake } from '../../tool-intake.ts';
import type { Answer, EraKind } from '../ask.ts';
import type { Link } from '../link.ts';
import type { Offer } from '../protocol.ts';
import { askForPage, eachPage, holdsNoArray, type ListBounds } from './list.ts';
import { type About, serverForm } from './listing.ts';

/** The tools that a server listed, and what it was then. */
export interface ReadTools {
  readonly about: About;
  readonly list: ReadList;
}

export interface ToolPages extends TakenTools {
  readonly about: About;
  readonly answer: Answer;
}

const method = 'tools/list';
const member = 'tools';
/** A page may go on for so many times as long as it may stand still. */
const longestLooks = 4;

/** All tools that a server lists, read while they come. `known`: as they were read last, or kept. */
export async function fetchTools(
  link: Link,
  toolkit: string,
  known: ReadTools | KnownTools | null,
  bounds: ListBounds & { readonly clock: Clock },
): Promise<Result<ToolPages, CallFailure>> {
  let about: About | null = null;
  let intake: ToolIntake | null = null;
  let isAnother = false;

  /** What the server is goes into its tools. */
  function intakeFor({ serverInfo }: Offer, era: EraKind): ToolIntake {
    const now: About = { toolkit, serverInfo, modern: era === 'modern' };
    isAnother ||= about !== null && !isSame(about, now);
    about = now;
    intake ??= createToolIntake(serverForm(now), listIn(known, now));
    return intake;
  }

  const answer = await eachPage(method, bounds, async (cursor) => {
    const page = createPage(bounds);
    const answer = await link.ask({
      ...askForPage(method, cursor, bounds),
      signal: page.signal,
      large: page.large,
      onServer: (offer, era) => page.from(intakeFor(offer, era)),
    });
    if (!answer.ok) return page.isLate() ? late : answer;
    const { reply, offer } = answer.value;
    if (reply.kind === 'error')
      // A server that says it has no tools need not know the method.
      return method === 'tools/list' && !offer.tools && cursor === undefined
        ? ok(withNone(answer.value))
        : answer;
    const flaw = await page.end(reply);
    return flaw === null ? ok({ ...answer.value, bytes: page.bytes() }) : flaw;
  });
  if (!answer.ok) return answer;
  if (isAnother || about === null || intake === null) return another;
  return ok({ ...(intake as ToolIntake).taken(), about, answer: answer.value });
}

function listIn(known: ReadTools | KnownTools | null, about: About): ReadList | null {
  if (known === null || 'seen' in known) return listKnownFrom(known, about);
  return isSame(known.about, about) ? known.list : null;
}

const isSame = (one: About, other: About): boolean => JSON.stringify(one) === JSON.stringify(other);

const nothing = Buffer.from('{}');

function withNone(answer: Answer): Answer {
  return { ...answer, reply: { kind: 'result', result: {}, bytes: nothing, head: null } };
}

const failed = (failure: SourceFailure): Result<never, CallFailure> => err(failure);

const another = failed({
  code: 'source.interrupted',
  message: 'the server became another one while it listed its tools',
  step: 'tools_fetched',
});
const late = failed({
  code: 'source.timeout',
  message: 'its list of tools did not end in time; if it needs longer, raise its timeout',
  step: 'tools_fetched',
});

/** One page on its way into an intake. */
function createPage({ timeoutMs, clock }: ListBounds & { readonly clock: Clock }) {
  const abort = new AbortController();
  const endMs = clock.monotonic() + longestLooks * timeoutMs;
  let intake: ToolIntake | null = null;
  let begun = false;
  let current = '';
  let isName = false;
  let bytes = 0;

  function begin(): void {
    intake?.begin(begun);
    begun = true;
  }

  const large: LargeResult = {
    anyStructure: true,
    begin() {
      current = '';
      bytes = 0;
      return true;
    },
    member(name) {
      current = name;
      isName = true;
      // Of several members with one name, the last one counts.
      if (name === member) begin();
    },
    write(piece, giveBack) {
      bytes += piece.length;
      if (clock.monotonic() > endMs) abort.abort();
      if (current !== member || isName || abort.signal.aborted) giveBack();
      else intake?.write(piece, giveBack);
      isName = false;
    },
    writeOutput() {},
  };

  return {
    large,
    signal: abort.signal,
    isLate: () => abort.signal.aborted,
    bytes: () => bytes,
    from(taking: ToolIntake): void {
      intake = taking;
    },
    async end(reply: { readonly bytes: Buffer; readonly passed?: true }) {
      if (reply.passed !== true) {
        const found = jsonMembers(reply.bytes).findLast(({ name }) => name === member);
        begin();
        bytes = reply.bytes.length;
        intake?.write(reply.bytes.subarray(found?.valueStart ?? bytes, found?.end));
      }
      const flaw = begun ? await (intake as ToolIntake).end() : 'no array';
      if (flaw === null) return null;
      return flaw === 'too long' ? failed(tooLong) : holdsNoArray(method);
    },
  };
}
