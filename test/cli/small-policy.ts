/** The least that is a policy: one caller, one model. Tests add rules to it. */
export const SMALL_POLICY = `policy small {
  owner "privacy@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id: text from claim "sub" }
model m "m-1" {
  provider: openai
  input_price: 1 usd per 1M tokens  output_price: 1 usd per 1M tokens  context: 8_000 tokens
}
`;
