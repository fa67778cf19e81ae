/**
 * Reads what the metrics count from a record that the filter wrote. It reads no traffic: records hold names of the
 * policy and numbers.
 */

export interface DecisionSummary {
  readonly event: string;
  readonly outcome: string;
  readonly rules: readonly string[];
  /** Detectors of which something was redacted. */
  readonly detectors: readonly string[];
}

const UNREADABLE: DecisionSummary = { event: 'unreadable', outcome: 'unreadable', rules: [], detectors: [] };

export function summarise(record: string): DecisionSummary {
  const document = parse(record);
  if (document === undefined) return UNREADABLE;
  return {
    event: word(document['event']),
    outcome: word(document['outcome']),
    rules: words(document['fired']),
    detectors: list(document['redact']).map((entry) => word(members(entry)['detector'])),
  };
}

function parse(record: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return members(JSON.parse(record));
  } catch {
    // Counted as unreadable: a record is no reason to fail an exchange.
    return undefined;
  }
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function words(value: unknown): string[] {
  return list(value).map(word);
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : 'none';
}
