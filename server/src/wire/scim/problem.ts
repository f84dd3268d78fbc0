import { type ScimErrorResponse, type ScimType, scimUrns } from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { type Err, err } from '#foundation';

/** A refusal as SCIM tells it (RFC 7644 §3.12). */
export interface ScimProblem {
  readonly status: number;
  readonly scimType?: ScimType;
  readonly refusal: Refusal;
  readonly allow?: string;
}

/** The request is at fault: `message` names what of it. */
export function invalid(scimType: ScimType, message: string, field?: string): Err<ScimProblem> {
  return err({
    status: 400,
    scimType,
    refusal: refusal('request.params_invalid', message, field === undefined ? {} : { field }),
  });
}

/** Ours, or what another room refused. */
export function asProblem(error: ScimProblem | Refusal): ScimProblem {
  return 'refusal' in error ? error : problemOf(error);
}

/** What another room refused. */
export function problemOf(told: Refusal): ScimProblem {
  switch (told.code) {
    case 'resource.conflict':
      return { status: 409, scimType: 'uniqueness', refusal: told };
    case 'request.params_invalid':
      return { status: 400, scimType: 'invalidValue', refusal: told };
    case 'request.malformed':
    case 'request.too_deep':
    case 'request.invalid':
      return { status: 400, scimType: 'invalidSyntax', refusal: told };
    case 'request.too_large':
      return { status: 413, refusal: told };
    case 'identity.scope_missing':
      return { status: 403, refusal: told };
    case 'resource.unknown':
      return { status: 404, refusal: told };
    default:
      return { status: told.code.startsWith('identity.') ? 401 : 500, refusal: told };
  }
}

export function problemBody({ status, scimType, refusal: { message } }: ScimProblem): ScimErrorResponse {
  return {
    schemas: [scimUrns.error],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail: message,
  };
}
