// Types of the policy `acme`. Generated; a change of the policy changes them.
export type Classification = "public" | "internal" | "confidential" | "restricted";
export type Department = "marketing" | "support" | "finance" | "hr";
export type Region = "eu" | "us";
export type Tier = "small" | "frontier";
export type Zone = "onprem" | "external";
export type WritDetector = "api_key" | "aws_key" | "date_of_birth" | "email" | "employee_id" | "iban" | "ip_address" | "jwt" | "passport" | "payment_card" | "phone" | "project_code" | "us_ssn";
export type WritModel = "frontier" | "gemma";
export type WritRole = "system" | "developer" | "user" | "assistant" | "tool";

export interface Budget {
  readonly marketing_month: { readonly headroom: number; readonly spent: number };
  readonly trial_day: { readonly headroom: number; readonly spent: number };
}

export interface Caller {
  /** When absent: "public". */
  readonly clearance?: Classification;
  /** Required: without it, rules that read it cannot be decided. */
  readonly department: Department;
  /** When absent: []. */
  readonly groups?: readonly string[];
  /** Required: without it, rules that read it cannot be decided. */
  readonly id: string;
  /** Required: without it, rules that read it cannot be decided. */
  readonly region: Region;
}

export interface Completion {
  /** Required: without it, rules that read it cannot be decided. */
  readonly finish_reason: string;
  /** Required: without it, rules that read it cannot be decided. In tokens. */
  readonly tokens: number;
}

export interface Model {
  /** Required: without it, rules that read it cannot be decided. */
  readonly chosen: WritModel;
}

export interface Prompt {
  /** Required: without it, rules that read it cannot be decided. In bytes. */
  readonly bytes: number;
  /** When absent: 1. In choices. */
  readonly choices?: number;
  /** Required: without it, rules that read it cannot be decided. */
  readonly classification: Classification;
  /** Required: without it, rules that read it cannot be decided. In points. */
  readonly complexity: number;
  /** Required: without it, rules that read it cannot be decided. In tokens. */
  readonly input_tokens_bound: number;
  /** Required: without it, rules that read it cannot be decided. */
  readonly messages: readonly { readonly role: WritRole; readonly found: readonly WritDetector[] }[];
  /** Optional. In tokens. */
  readonly output_tokens?: number;
  /** Required: without it, rules that read it cannot be decided. */
  readonly requested_model: string;
  /** When absent: false. */
  readonly stream?: boolean;
  /** Required: without it, rules that read it cannot be decided. In tokens. */
  readonly tokens_estimate: number;
  /** When absent: 0. In tools. */
  readonly tools?: number;
}

export interface Retrieval {
  /** Optional. In chunks. */
  readonly limit?: number;
}

export interface Text {
  /** Required: without it, rules that read it cannot be decided. */
  readonly found: readonly WritDetector[];
  /** Required: without it, rules that read it cannot be decided. */
  readonly found_restored: readonly WritDetector[];
}

export interface HandbookChunk {
  /** When absent: "restricted". */
  readonly classification?: Classification;
  /** Required: without it, rules that read it cannot be decided. */
  readonly groups: readonly string[];
  /** Required: without it, rules that read it cannot be decided. */
  readonly source: string;
  /** Required: without it, rules that read it cannot be decided. */
  readonly version: number;
}

export type DecisionInput = { readonly event: "prompt"; readonly caller: Caller; readonly text: Text; readonly prompt: Prompt; readonly budget: Budget; }
  | { readonly event: "completion"; readonly caller: Caller; readonly text: Text; readonly prompt: Prompt; readonly model: Model; readonly completion: Completion; }
  | { readonly event: "retrieval"; readonly store: "handbook"; readonly caller: Caller; readonly retrieval: Retrieval; }
  | { readonly event: "chunk" | "ingest"; readonly store: "handbook"; readonly caller: Caller; readonly text: Text; readonly chunk: { readonly handbook: HandbookChunk } };
