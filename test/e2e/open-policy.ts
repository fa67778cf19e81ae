// The head of a policy that allows prompts and answers where no rule says otherwise. A test's own declarations follow.
import { POLICY } from './mesh.ts';

export const OPEN_POLICY = `policy ${POLICY} {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
`;
