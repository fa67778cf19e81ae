/** The policy of the protocol fixtures. */
export const POLICY = `policy fixtures {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
  base classification: public
}
department = support | hr
region = eu | us
zone = onprem | external
classification = public < internal < confidential < restricted
caller {
  id : text from claim "sub"
  department : department from claim "dept"
  region : region from claim "region"
  groups : set of text from claim "groups" else {}
  clearance : classification from claim "clearance" else public
}
models { zone: zone }
model gpt_4o "gpt-4o" { provider: openai zone: external input_price: 2.50 usd per 1M tokens output_price: 10 usd per 1M tokens context: 128_000 tokens max_output: 4_000 tokens }
model gemma "gemma-3-270m" { provider: llama_cpp zone: onprem input_price: 0.02 usd per 1M tokens output_price: 0.05 usd per 1M tokens context: 4_096 tokens max_output: 1_000 tokens }
detector employee_id matches \`EMP-[0-9]{6}\`
detectors personal = email, payment_card, employee_id
rule mask_personal "Personal data is masked"
  on prompt
  where model.zone is external
  redact personal as placeholder
rule leak
  on completion
  redact personal as mask
rule ibans "No IBAN is said"
  on completion
  where text contains iban
  deny "an IBAN may not be said"
rule onprem_short
  on prompt
  where model.zone is onprem
  limit prompt.output_tokens to 256 tokens
rule eu_only
  on prompt
  where caller.region is eu
  use only models where model.zone is onprem
route auto for requested "auto" prefer gemma
budget support_day "Support's spend"
  for caller.department is support
  limit 50 usd per day in "Europe/Berlin"
  else deny "support's budget for today does not cover this"
`;
