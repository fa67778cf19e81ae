/**
 * What the sidecar itself needs of the deployment in a verified bundle (`/writ/deployment.json`). The compiler checked
 * and wrote it; here it is read once, at the boundary.
 */
import type { JsonObject } from '@bufbuild/protobuf';
import { SidecarError } from './sidecar-error.ts';

export interface DeploymentSettings {
  /** Base URLs, without a slash at the end. */
  readonly stores: ReadonlyMap<string, string>;
  readonly requestBytes: number;
  readonly replyBytes: number;
  readonly exchanges: number;
}

/** Throws SidecarError `bad_deployment`. */
export function readDeploymentSettings(text: string): DeploymentSettings {
  try {
    const document = object(JSON.parse(text));
    const limits = object(document['limits']);
    return {
      stores: new Map(
        Object.entries(object(document['stores'])).map(([name, upstream]) => [name, baseUrl(object(upstream))]),
      ),
      requestBytes: count(limits['requestBytes']),
      replyBytes: count(limits['replyBytes']),
      exchanges: count(limits['exchanges']),
    };
  } catch (cause) {
    throw new SidecarError('bad_deployment', "the bundle's deployment cannot be read", { cause });
  }
}

function baseUrl(upstream: JsonObject): string {
  const host = string(upstream['host']);
  return `${string(upstream['scheme'])}://${host.includes(':') ? `[${host}]` : host}:${count(upstream['port'])}${typeof upstream['pathPrefix'] === 'string' ? upstream['pathPrefix'] : ''}`;
}

function object(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('an object is missing');
  return value as JsonObject;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Error('a text is missing');
  return value;
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw new Error('a number is missing');
  return value;
}
