/** An attribute as RFC 7643 §7 describes one, and as `/Schemas` shows it. */
export interface ScimAttribute {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'complex' | 'reference' | 'dateTime' | 'binary';
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: 'readWrite' | 'readOnly' | 'writeOnly' | 'immutable';
  readonly returned: 'always' | 'default' | 'never';
  readonly uniqueness: 'none' | 'server';
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly ScimAttribute[];
}

export interface ScimSchema {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly ScimAttribute[];
}

type More = Partial<Omit<ScimAttribute, 'name' | 'description'>>;

export function text(name: string, description: string, more: More = {}): ScimAttribute {
  return {
    name,
    type: 'string',
    multiValued: false,
    description,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...more,
  };
}

export function complex(
  name: string,
  description: string,
  subAttributes: readonly ScimAttribute[],
  more: More = {},
): ScimAttribute {
  return text(name, description, { type: 'complex', subAttributes, ...more });
}

const kind = text('type', 'What it is for: work, home, other');
const primary = text('primary', 'Whether it is the one to prefer; one at most is', { type: 'boolean' });

/** A list of values, each with what it is for. */
export function values(name: string, description: string, value: More = {}): ScimAttribute {
  const subAttributes = [
    text('value', 'The value', value),
    text('display', 'The value for people to read'),
    kind,
    primary,
  ];
  return complex(name, description, subAttributes, { multiValued: true });
}

/** A list of things that are more than a value. */
export function items(name: string, description: string, parts: readonly ScimAttribute[]): ScimAttribute {
  return complex(name, description, [...parts, kind, primary], { multiValued: true });
}

const readOnly = { mutability: 'readOnly' } as const;

/** One side of a membership. */
export function related(
  name: string,
  what: string,
  mutability: ScimAttribute['mutability'],
  more: readonly ScimAttribute[] = [],
): ScimAttribute {
  const subAttributes = [
    text('value', `The id of the ${what}`, { caseExact: true, mutability: 'immutable' }),
    text('$ref', `Where the ${what} is`, {
      type: 'reference',
      caseExact: true,
      referenceTypes: [what],
      ...readOnly,
    }),
    text('display', `The name of the ${what}`, readOnly),
    ...more,
  ];
  return complex(name, `Each ${what} it has`, subAttributes, { multiValued: true, mutability });
}
