/** JSON Web Tokens. */
import type { Detector } from './detector.ts';

export const jwt: Detector = {
  name: 'jwt',
  title: 'JSON web token',
  about:
    'Signed tokens in compact form (RFC 7519): header and claims that begin like a JSON object in base64url, and a signature.',
  forms: [
    {
      pattern: 'eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{2,}\\.[A-Za-z0-9_-]{16,}',
      longest: 8192,
      boundary: { before: 'word', after: 'word' },
    },
  ],
  examples: [
    'Bearer ⟦eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P⟧',
    'token=⟦eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P⟧;',
  ],
  lookAlikes: [
    'eyJhbGciOiJIUzI1NiJ9',
    'eyJhbGciOiJIUzI1NiJ9.abc.def',
    'keyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N',
    'eyJ.eyJ.x',
  ],
};
