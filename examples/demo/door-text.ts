/** The doors as the demo names them. */
import type { Door } from '../../proto/door.ts';

export function doorText(door: Door | null): string {
  if (door === null) return 'none';
  const meaning: { readonly [D in Door]: string } = {
    in_envoy: 'the filter runs in Envoy itself',
    ext_proc: 'Envoy asks the sidecar',
  };
  return `${door}: ${meaning[door]}`;
}
