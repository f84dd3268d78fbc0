import { err, isDeeperThan, isHeavierThan, isMembers, ok, type Result } from '#foundation';
import { isSignedToken } from '../act-as.ts';
import { claimAt, groupsIn } from '../assertions/claims.ts';
import type { SignedInUser, SignInProblem, UserSource } from './contract.ts';
import { presetOf } from './presets.ts';
import { problem } from './problems.ts';

export type Claims = { readonly [name: string]: unknown };

/** Of the protocol, and not of the person; `_claim_sources` may hold an access token. */
const notOfThePerson = new Set([
  '_claim_sources',
  'acr',
  'aio',
  'at_hash',
  'aud',
  'azp',
  'c_hash',
  'client_id',
  'exp',
  'iat',
  'jti',
  'nbf',
  'nonce',
  'resource',
  'rh',
  's_hash',
  'scope',
  'session_state',
  'sid',
  'uti',
]);
const maxDepth = 16;
const maxWeight = 64 * 1024;
const maxUserIdLength = 256;
const maxNameLength = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

/** The person whom checked claims describe, as the source wants to know them. */
export function userOf(source: UserSource, claims: Claims): Result<SignedInUser, SignInProblem> {
  if (isDeeperThan(claims, maxDepth) || isHeavierThan(claims, maxWeight))
    return err(
      problem(source, 'sign_in.answer_invalid', 'the claims are more, or nested deeper, than is kept'),
    );
  const subject = claims.sub;
  if (typeof subject !== 'string' || subject === '' || subject.length > 512)
    return err(problem(source, 'sign_in.answer_invalid', 'the claim sub is missing, or no text'));
  const email = vouchedEmail(source, claims);
  const refused = domainProblem(source, claims, email);
  if (refused !== null) return err(refused);
  const userId = userIdOf(source, claims);
  if (!userId.ok) return userId;
  const groups = groupsOf(source, claims);
  if (!groups.ok) return groups;
  return ok({
    source,
    issuer: source.issuer,
    subject,
    userId: userId.value,
    email,
    name: nameOf(claims),
    groups: groups.value,
    // Without a prototype: nothing is there but what the issuer said.
    claims: Object.assign(
      Object.create(null),
      Object.fromEntries(Object.entries(claims).filter(([name]) => !notOfThePerson.has(name))),
    ),
  });
}

/** Exactly what the claim says; nothing is trimmed away, as to the issuer that is somebody else. */
export function userIdOf(
  source: Pick<UserSource, 'name' | 'preset' | 'userClaim'>,
  claims: Claims,
): Result<string, SignInProblem> {
  const { userClaim } = source;
  const invalid = (reason: string) =>
    err(
      problem(
        source,
        'sign_in.answer_invalid',
        reason,
        `${source.name} did not say who you are in the way this server needs.`,
      ),
    );
  const said = claimAt(claims, userClaim);
  if (said === undefined || said === null)
    return invalid(
      `the claim ${userClaim}, which is the user id, is not in the ID token, nor in userinfo; take another claim (user_claim), ask for its scope, or let the issuer add it`,
    );
  if (typeof said !== 'string') return invalid(`the claim ${userClaim}, which is the user id, is no text`);
  if (userClaim === 'email' && vouchedEmail(source, claims) === '')
    return invalid(
      'the claim email, which is the user id, is not vouched for: email_verified is false or not said, or it is no address',
    );
  const isUsable =
    said !== '' &&
    said.trim() === said &&
    said.length <= maxUserIdLength &&
    said.isWellFormed() &&
    !controlCharacter.test(said) &&
    !isSignedToken(said);
  if (!isUsable)
    return invalid(
      `the claim ${userClaim} cannot be a user id: it is empty, longer than ${maxUserIdLength} characters, or has spaces at an end or control characters`,
    );
  return ok(said);
}

/** `''` where the issuer says none, or does not say that it is theirs. */
export function vouchedEmail({ preset }: Pick<UserSource, 'preset'>, claims: Claims): string {
  const { email, email_verified: verified, xms_edov: isOfVerifiedDomain } = claims;
  if (typeof email !== 'string' || email.length > 320 || !isAddress(email)) return '';
  if (isFalse(isOfVerifiedDomain)) return '';
  const isTheirs =
    verified === undefined ? presetOf(preset).vouchesForEmail : verified === true || verified === 'true';
  return isTheirs ? email : '';
}

function isAddress(email: string): boolean {
  return /^[^\s@]+@[^\s@]+$/u.test(email) && !controlCharacter.test(email) && email.isWellFormed();
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false' || value === 0 || value === '0';
}

/** `null` where the source takes everybody of the issuer, or the person is of a domain that it takes. */
function domainProblem(source: UserSource, claims: Claims, email: string): SignInProblem | null {
  const { allowedDomains, preset } = source;
  if (allowedDomains.length === 0) return null;
  const refuse = (reason: string) => problem(source, 'sign_in.not_allowed', reason);
  if (email === '')
    return refuse(
      claims.email === undefined
        ? 'only some e-mail domains are allowed, and the issuer says no address: ask for the scope email, or let the issuer add the claim'
        : 'only some e-mail domains are allowed, and the issuer does not vouch for the address: email_verified is false or not said',
    );
  if (!isAllowed(allowedDomains, email.slice(email.lastIndexOf('@') + 1)))
    return refuse('the domain of their e-mail address is not among allowed_domains');
  const { organizationClaim } = presetOf(preset);
  // An address of the company may belong to a private account that somebody made with it.
  if (organizationClaim !== null && !isAllowed(allowedDomains, claims[organizationClaim]))
    return refuse(
      `their account is not one of the company: ${organizationClaim} is not among allowed_domains`,
    );
  return null;
}

/** Beyond ASCII, letters of other scripts become those of a domain when their case is changed. */
function isAllowed(allowed: readonly string[], domain: unknown): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (typeof domain !== 'string' || !/^[\x00-\x7f]+$/.test(domain)) return false;
  return allowed.some((one) => one.toLowerCase() === domain.toLowerCase());
}

/** Both as one. The ID token goes first; an address is vouched for only by who said that very address. */
export function joined(idToken: Claims, userinfo: Claims): Claims {
  const all = { ...userinfo, ...idToken };
  const isOther = idToken.email !== undefined && userinfo.email !== idToken.email;
  if (!isOther || idToken.email_verified !== undefined) return all;
  const { email_verified: _ofAnotherAddress, ...rest } = all;
  return rest;
}

/** Whether the issuer left groups out because there are too many of them. */
function isOverage({ groupsClaim }: UserSource, claims: Claims): boolean {
  const elsewhere = claims._claim_names;
  if (isMembers(elsewhere) && Object.hasOwn(elsewhere, groupsClaim)) return true;
  return groupsClaim === 'groups' && (claims.hasgroups === true || claims.hasgroups === 'true');
}

function groupsOf(source: UserSource, claims: Claims): Result<readonly string[], SignInProblem> {
  const { groupsClaim, groupsRequired, name } = source;
  if (groupsClaim === '') return ok([]);
  const invalid = (reason: string, message?: string) =>
    err(problem(source, 'sign_in.answer_invalid', reason, message));
  // Without them somebody could be let do what their groups deny.
  if (claimAt(claims, groupsClaim) === undefined && isOverage(source, claims))
    return invalid(
      `the issuer left out the claim ${groupsClaim} because there are too many groups: let it send only the groups that are assigned to the application, or send application roles and take them by groups_claim: roles, or set groups_claim to an empty text to do without`,
      `${name} did not tell which groups you are in, because there are too many of them.`,
    );
  if (claimAt(claims, groupsClaim) === undefined && groupsRequired)
    return invalid(
      `groups_required is set, and the claim ${groupsClaim} is neither in the ID token nor in userinfo: let the issuer add it, or take another one by groups_claim`,
      `${name} did not tell which groups you are in, and this server needs to know.`,
    );
  const listed = groupsIn(claims, groupsClaim);
  if (!listed.ok) return invalid(listed.error);
  if (!presetOf(source.preset).groupPaths) return listed;
  return ok(listed.value.map((group) => (group.startsWith('/') ? group.slice(1) : group)));
}

/**
 * What of the person the ID token does not say, so that userinfo is asked. Some issuers keep the token small and say e-mail and
 * groups there alone (Okta's groups beside an access token, Entra's e-mail). Where the token has all of it nothing is asked:
 * it is signed, and one request less can fail. `required`: without it the sign-in would fail, or groups be missed.
 */
export function isWanting(source: UserSource, claims: Claims): { required: boolean; email: boolean } {
  const { groupsClaim, userClaim, allowedDomains, preset } = source;
  const lacks = (path: string) => claimAt(claims, path) === undefined;
  const lacksEmail = vouchedEmail(source, claims) === '' && claims.email_verified === undefined;
  return {
    required:
      lacks(userClaim) ||
      (groupsClaim !== '' &&
        presetOf(preset).groupsInUserinfo &&
        lacks(groupsClaim) &&
        !isOverage(source, claims)) ||
      (lacksEmail && (allowedDomains.length > 0 || userClaim === 'email')),
    email: lacksEmail,
  };
}

function nameOf(claims: Claims): string {
  const { name, given_name: given, family_name: family } = claims;
  const said =
    typeof name === 'string' && name.trim() !== ''
      ? name
      : [given, family].filter((part) => typeof part === 'string').join(' ');
  return said
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, maxNameLength)
    .toWellFormed();
}
