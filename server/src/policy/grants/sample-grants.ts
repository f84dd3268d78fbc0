import type { GrantRequest } from '@sallyport/contracts';
import type { Gateway, RuleTarget, Subject, ToolTraits } from '#domain';
import { manualClock } from '#foundation';
import { type Db, openChanges } from '#storage';
import { silentLog } from '#telemetry';
import { createEntries, type Entries } from '../entries.ts';
import { gatewaysOf } from '../gateways-of.ts';
import type { Grants } from './contract.ts';
import { createGrants } from './grants.ts';

/** Grants for tests: over real entries, at a time that stands still until told to move. */
export interface GrantsUnderTest {
  readonly grants: Grants;
  readonly entries: Entries<GrantRequest>;
  readonly clock: ReturnType<typeof manualClock>;
  /** Gateways that were told that a grant of theirs expired. */
  readonly told: (string | null)[];
  /** Makes the grants of the project exactly these, as the config file does. */
  put(...grants: readonly GrantRequest[]): void;
}

export const projectId = 'default';

export async function grantsUnderTest(db: Db): Promise<GrantsUnderTest> {
  const clock = manualClock();
  const changes = await openChanges(db, { clock, log: silentLog }, false);
  const entries = await createEntries<GrantRequest>({ db, changes, clock }, 'grant');
  const told: (string | null)[] = [];
  const grants = createGrants({
    entries,
    clock,
    onExpired: (expired) => void told.push(...gatewaysOf(expired).map(([, slug]) => slug)),
  });
  return { grants, entries, clock, told, put: (...these) => entries.applyFile(projectId, these) };
}

export function sampleSubject(userId: string | null, more: Partial<Subject> = {}): Subject {
  return { userId, groups: [], claims: {}, ...more };
}

export function sampleGateway(slug: string, access: Gateway['access']): Gateway {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    id: `gw_${slug}`,
    projectId,
    name: slug,
    slug,
    description: '',
    instructions: '',
    status: 'active',
    authTypes: ['arcade_header'],
    userSourceIds: [],
    toolScopes: [],
    consentSkipClientIds: [],
    allowedTools: null,
    access,
    presentation: 'tools',
    naming: 'toolkit',
    curation: [],
    kept: {},
    origin: 'file',
    createdAt: at,
    updatedAt: at,
  };
}

/** A tool; a prompt or a resource where it says nothing of itself. */
export function sampleTarget(ruleName: string, traits: ToolTraits | null = sampleTraits()): RuleTarget {
  const target = { id: `tool_${ruleName}`, projectId, sourceId: 'source', ruleName };
  return traits === null ? target : { ...target, traits };
}

export function sampleTraits(more: Partial<ToolTraits> = {}): ToolTraits {
  return {
    readOnly: false,
    destructive: true,
    idempotent: false,
    openWorld: true,
    operations: [],
    serviceDomains: [],
    ...more,
  };
}
