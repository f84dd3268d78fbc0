import type { RuleRequest } from '@sallyport/contracts';
import type { Finder } from '../pattern.ts';
import { apiKey } from './api-key.ts';
import { email } from './email.ts';
import { iban } from './iban.ts';
import { jwt } from './jwt.ts';
import { paymentCard } from './payment-card.ts';
import { phone } from './phone.ts';
import { privateKey } from './private-key.ts';
import { ssn } from './ssn.ts';

export type DetectorName = NonNullable<NonNullable<RuleRequest['match']>['detector']>;

/** What finds each kind of thing in texts, in linear time. */
export const detectors: Readonly<Record<DetectorName, Finder>> = {
  ssn,
  payment_card: paymentCard,
  iban,
  email,
  phone,
  api_key: apiKey,
  private_key: privateKey,
  jwt,
};
