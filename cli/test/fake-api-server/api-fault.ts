import type { Json } from './json.ts';
import { groupKindOf, type Kind, resourceOf } from './kinds.ts';

/** An answer other than success, as the API server words it: an object of kind Status. */
export class ApiFault extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Json;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: number,
    reason: string,
    message: string,
    details: Json = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.headers = headers;
  }

  body(): Json {
    const { code, reason, message, details } = this;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      details,
      code,
    };
  }
}

export const notFound = (kind: Kind, name: string): ApiFault =>
  new ApiFault(404, 'NotFound', `${resourceOf(kind)} "${name}" not found`, {
    name,
    group: kind.group,
    kind: kind.plural,
  });

export const noSuchPath = (): ApiFault =>
  new ApiFault(404, 'NotFound', 'the server could not find the requested resource');

export const alreadyExists = (kind: Kind, name: string): ApiFault =>
  new ApiFault(409, 'AlreadyExists', `${resourceOf(kind)} "${name}" already exists`, {
    name,
    kind: kind.plural,
  });

export const badRequest = (message: string): ApiFault => new ApiFault(400, 'BadRequest', message);

/** One field and what is wrong with it: `spec.replicas: Invalid value: -1: must be …`. */
export interface FieldMistake {
  readonly field: string;
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired';
  readonly message: string;
}

export const invalid = (kind: Kind, name: string, mistakes: readonly FieldMistake[]): ApiFault => {
  const said = mistakes.map(({ field, message }) => `${field}: ${message}`);
  const list = said.length === 1 ? said[0] : `[${said.join(', ')}]`;
  return new ApiFault(422, 'Invalid', `${groupKindOf(kind)} "${name}" is invalid: ${list}`, {
    name,
    group: kind.group,
    kind: kind.kind,
    causes: mistakes.map(({ field, reason, message }) => ({ reason, message, field })),
  });
};

export const mistake = (field: string, value: Json, what: string): FieldMistake => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value ?? null)}: ${what}`,
});

export const required = (field: string, what = ''): FieldMistake => ({
  field,
  reason: 'FieldValueRequired',
  message: what === '' ? 'Required value' : `Required value: ${what}`,
});
