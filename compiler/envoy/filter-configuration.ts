/**
 * What a filter that runs in Envoy is told beside its code. Lines of words; they are read, and described, in
 * filters/kernel/proxy-wasm/configuration.ts. The sidecar adds the bundle's revision.
 */
import { storeRouteKey } from '../../proto/route-key.ts';
import type { Deployment, Places } from '../deployment/deployment.ts';
import { authority } from './authority.ts';
import type { Traffic } from './traffic.ts';

export function filterConfiguration(
  { stores }: Places,
  { replies }: Traffic,
  { limits, listener, stores: places }: Deployment,
): string {
  const lines = [
    `requestBytes ${limits.requestBytes}`,
    `replyBytes ${limits.replyBytes}`,
    `exchanges ${limits.exchanges}`,
    ...(replies ? ['replies'] : []),
    ...(listener.tls?.clientCa === undefined ? [] : ['certificates']),
    ...stores.map(({ name }) => {
      const upstream = places[name];
      return upstream === undefined
        ? `store ${storeRouteKey(name)} nowhere`
        : ['store', storeRouteKey(name), authority(upstream), upstream.pathPrefix].join(' ').trimEnd();
    }),
  ];
  return `${lines.join('\n')}\n`;
}
