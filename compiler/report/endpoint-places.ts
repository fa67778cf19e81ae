/**
 * What happens to every place of an endpoint's bodies, derived from the same protocol table that the kernel obeys:
 * scanned, used, passed unread, or refused. A place that is not listed is unknown, and denied.
 */
import type { Endpoint, Place, Protocol } from '../../filters/protocols/protocol.ts';

export type Treatment = 'scanned' | 'used' | 'passed' | 'refused';

export interface PlaceReport {
  /** `messages[].content[].text`; `*` stands for any other key. */
  readonly path: string;
  readonly treatment: Treatment;
}

export interface EndpointReport {
  readonly protocol: string;
  readonly method: string;
  readonly path: string;
  readonly event: Endpoint['event'];
  readonly request: readonly PlaceReport[];
  readonly reply: readonly PlaceReport[];
  readonly stream: readonly PlaceReport[];
}

export function endpointReports(protocols: readonly Protocol[]): EndpointReport[] {
  return protocols.flatMap((protocol) =>
    protocol.endpoints.map((endpoint) => ({
      protocol: protocol.name,
      method: endpoint.method,
      path: endpoint.path,
      event: endpoint.event,
      request: placesOf(endpoint.request),
      reply: placesOf(endpoint.reply),
      stream: placesOf(endpoint.stream),
    })),
  );
}

const SCANNED: ReadonlySet<string> = new Set(['text', 'part', 'arguments', 'local', 'tool_name', 'chunk_text']);
const PASSED: ReadonlySet<string> = new Set(['plain', 'enum']);

function placesOf(place: Place | undefined): PlaceReport[] {
  const found = new Map<string, Treatment>();
  if (place !== undefined) collect(place, '', found);
  return [...found]
    .map(([path, treatment]) => ({ path: path === '' ? 'body' : path, treatment }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function collect(place: Place, path: string, found: Map<string, Treatment>): void {
  if (place.any !== undefined) return note(found, `${path === '' ? '' : `${path}.`}**`, 'scanned');
  const own = [place.string, place.number, place.bool].filter((meaning) => meaning !== undefined);
  if (own.length > 0) {
    const scanned = place.string !== undefined && SCANNED.has(place.string);
    note(found, path, scanned ? 'scanned' : own.every((meaning) => PASSED.has(meaning)) ? 'passed' : 'used');
  }
  if (place.object !== undefined) {
    for (const [name, below] of Object.entries(place.object.fields ?? {}))
      collect(below, path === '' ? name : `${path}.${name}`, found);
    if (place.object.others !== undefined) collect(place.object.others, path === '' ? '*' : `${path}.*`, found);
  }
  if (place.array !== undefined) collect(place.array.of, `${path}[]`, found);
  if (own.length === 0 && place.object === undefined && place.array === undefined) note(found, path, 'refused');
}

/**
 * One path may be reached by two shapes (`content` as text or as parts); what is scanned in one of them is said to be
 * scanned.
 */
function note(found: Map<string, Treatment>, path: string, treatment: Treatment): void {
  const order: readonly Treatment[] = ['refused', 'passed', 'used', 'scanned'];
  const before = found.get(path);
  if (before === undefined || order.indexOf(treatment) > order.indexOf(before)) found.set(path, treatment);
}
