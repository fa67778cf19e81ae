/** Access keys of Amazon Web Services. */
import type { Detector } from './detector.ts';

export const awsKey: Detector = {
  name: 'aws_key',
  title: 'AWS access key',
  about:
    'Access key ids (AKIA… and its sisters, 20 characters), and secret access keys (40 characters) after words that name them.',
  forms: [
    { pattern: '(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}', boundary: { before: 'word', after: 'word' } },
    {
      pattern: '[A-Za-z0-9/+]{40}',
      boundary: { before: 'word', after: 'word' },
      validator: 'entropy',
      context: {
        words: [
          'aws secret access key',
          'secret access key',
          'aws secret',
          'secretaccesskey',
          'aws_secret_access_key',
          'secret key',
        ],
        within: 40,
        where: 'before',
      },
    },
  ],
  examples: [
    'key ⟦AKIAIOSFODNN7EXAMPLE⟧',
    'AWS_ACCESS_KEY_ID=⟦ASIAIOSFODNN7EXAMPLE⟧',
    'aws_secret_access_key = ⟦wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY⟧',
  ],
  lookAlikes: [
    'AKIAIOSFODNN7EXAMPL',
    'XAKIAIOSFODNN7EXAMPLE',
    'AKIAIOSFODNN7EXAMPLE1',
    'AKIAiosfodnn7example',
    'sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'the ASIA PACIFIC region',
  ],
};
