/** IPv4 addresses. */
import type { Detector } from './detector.ts';

export const ipAddress: Detector = {
  name: 'ip_address',
  title: 'IPv4 address',
  about:
    'Four numbers of at most 255 without leading zeros, joined by dots. Longer dotted numbers (versions, object identifiers) are none.',
  forms: [
    { pattern: '[0-9]{1,3}(?:\\.[0-9]{1,3}){3}', boundary: { before: 'number', after: 'number' }, validator: 'ipv4' },
  ],
  examples: [
    'host ⟦192.168.1.1⟧ is down',
    'from ⟦10.0.0.1⟧.',
    'http://⟦203.0.113.7⟧:8080/x',
    '⟦10.0.0.0⟧/8,⟦172.16.0.1⟧',
    '(⟦255.255.255.255⟧)',
    '⟦10.0.0.1⟧-⟦10.0.0.9⟧',
  ],
  lookAlikes: [
    'version 1.2.3',
    'oid 1.3.6.1.4.1',
    '256.1.1.1',
    '1.2.3.4.5',
    '10.01.1.1',
    'v1.2.3.4',
    '1.2.3.4a',
    '3.14159',
    '12.34.56.789',
    '2024.03.05',
  ],
};
