/** The built-in detectors. Adding one: its file, its line here; its examples and look-alikes are its tests. */
import { apiKey } from './api-key.ts';
import { awsKey } from './aws-key.ts';
import { dateOfBirth } from './date-of-birth.ts';
import type { Detector } from './detector.ts';
import { email } from './email.ts';
import { iban } from './iban.ts';
import { ipAddress } from './ip-address.ts';
import { ipv6 } from './ipv6.ts';
import { jwt } from './jwt.ts';
import { passport } from './passport.ts';
import { paymentCard } from './payment-card.ts';
import { phone } from './phone.ts';
import { usSsn } from './us-ssn.ts';

export const detectors: readonly Detector[] = [
  apiKey,
  awsKey,
  dateOfBirth,
  email,
  iban,
  ipAddress,
  ipv6,
  jwt,
  passport,
  paymentCard,
  phone,
  usSsn,
];
