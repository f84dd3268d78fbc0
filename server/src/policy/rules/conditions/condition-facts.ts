import { Fault, isHeavierThan, isMembers, type Members } from '#foundation';
import { onlyReads } from '../../matching.ts';
import type { RuleFacts } from '../contract.ts';

/** What conditions go by, under the names that they have there. */
export interface ConditionFacts {
  readonly values: Members;
  /** So much was given that a condition must be watched while it runs. */
  readonly heavy: boolean;
}

/** Facts up to this weight are gone through unwatched. */
const lightUpTo = 2048;

const known = new WeakMap<RuleFacts, ConditionFacts>();

/** Made once for all conditions that a call meets. */
export function factsOf(facts: RuleFacts): ConditionFacts {
  let made = known.get(facts);
  if (made === undefined) {
    made = makeFacts(facts);
    known.set(facts, made);
  }
  return made;
}

function makeFacts(facts: RuleFacts): ConditionFacts {
  const { subject, gateway, target, args, nowMs } = facts;
  let claims: JsonMap | null = null;
  let given: JsonMap | null = null;
  const values = {
    user: subject.userId ?? '',
    groups: subject.groups,
    get claims() {
      claims ??= new JsonMap(subject.claims);
      return claims;
    },
    client: subject.clientId ?? '',
    gateway: gateway?.slug ?? '',
    get arguments() {
      given ??= new JsonMap(args);
      return given;
    },
    get time() {
      return new Date(nowMs);
    },
    get tool() {
      return toolFacts(target);
    },
  };
  return { values, heavy: isHeavierThan([args, subject.claims, subject.groups], lightUpTo) };
}

function toolFacts({ ruleName, sourceId, traits = onlyReads }: RuleFacts['target']): Members {
  return {
    name: ruleName,
    source: sourceId,
    read_only: traits.readOnly,
    destructive: traits.destructive,
    idempotent: traits.idempotent,
    open_world: traits.openWorld,
    operations: traits.operations,
    service_domains: traits.serviceDomains,
  };
}

/**
 * A JSON object as the CEL library may see it: a map, whatever its members are called, as nothing but its own members. Only
 * what is asked for is made.
 *
 * The library works out a type of every value by its first member and that one's first member, and keeps every type that it
 * ever met; callers could make up types without end. It finds no first member here.
 */
class JsonMap extends Map<string, unknown> {
  readonly #members: Members;
  static {
    // The library tells kinds of values apart by it.
    JsonMap.prototype.constructor = Map;
  }

  constructor(members: Members) {
    super();
    this.#members = members;
  }

  override get size(): number {
    return Object.keys(this.#members).length;
  }

  override has(name: string): boolean {
    return Object.hasOwn(this.#members, name);
  }

  override get(name: string): unknown {
    const made = super.get(name);
    if (made !== undefined || !this.has(name)) return made;
    const value = celValue(this.#members[name], 0);
    super.set(name, value);
    return value;
  }

  override keys(): MapIterator<string> {
    return Object.keys(this.#members).values();
  }

  override *[Symbol.iterator](): MapIterator<[string, unknown]> {
    for (const name of this.keys()) yield [name, this.get(name)];
  }

  override entries(): MapIterator<[string, unknown]> {
    return [].values();
  }
}

/** Lists in lists have a type for each depth. */
const maxListDepth = 10;

function celValue(value: unknown, listDepth: number): unknown {
  if (isMembers(value)) return new JsonMap(value);
  if (!Array.isArray(value) || value.every(isScalar)) return value;
  if (listDepth === maxListDepth) throw new Fault('lists are nested too deeply');
  return value.map((item) => celValue(item, listDepth + 1));
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
