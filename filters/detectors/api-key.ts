/** Keys of well-known services. */
import type { Boundary, Detector, Form } from './detector.ts';

const boundary = { before: 'word', after: 'word' } as const satisfies { before: Boundary; after: Boundary };
const form = (pattern: string, longest: number): Form => ({ pattern, longest, boundary });

export const apiKey: Detector = {
  name: 'api_key',
  title: 'API key',
  about:
    'Keys whose service gives them a prefix (OpenAI, Anthropic, GitHub, GitLab, Slack, Stripe, Google), and random strings after words such as api key.',
  forms: [
    { pattern: 'sk-(?:proj-|ant-|svcacct-|or-)?[A-Za-z0-9_-]{20,}', longest: 256, boundary, validator: 'entropy' },
    form('gh[pousr]_[A-Za-z0-9]{36,}', 128),
    form('github_pat_[A-Za-z0-9_]{22,}', 128),
    form('glpat-[A-Za-z0-9_-]{20,}', 128),
    form('xox[abeoprs]-[A-Za-z0-9-]{10,}', 256),
    form('(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}', 256),
    form('AIza[A-Za-z0-9_-]{35}', 39),
    {
      pattern: '[A-Za-z0-9_+/=-]{20,}',
      longest: 128,
      boundary,
      validator: 'entropy',
      context: {
        words: [
          'api key',
          'apikey',
          'api token',
          'access token',
          'secret key',
          'auth token',
          'client secret',
          'x api key',
          'api secret',
        ],
        within: 24,
        where: 'before',
      },
    },
  ],
  examples: [
    'OPENAI_KEY=⟦sk-proj-abcdEFGH1234ijklMNOP5678⟧',
    'token ⟦ghp_abcdefghijklmnopqrstuvwxyz0123456789⟧.',
    '⟦xoxb-123456789012-abcdefABCDEF⟧',
    'stripe ⟦sk_live_abcdefghijklmnop1234⟧',
    'google ⟦AIzaSyA1234567890abcdefghijklmnopqrstuv⟧',
    'api_key: "⟦f3a9c1e07b52d8446aaf9e1c⟧"',
    'gitlab ⟦glpat-abcDEF123456ghiJKL78⟧',
  ],
  lookAlikes: [
    'sk-learn and sk-short',
    'risk-assessment-of-the-whole-department',
    'commit f3a9c1e07b52d8446aaf9e1c',
    'the api key concept-explained-for-beginners',
    'ghp_short',
    'api key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  ],
};
