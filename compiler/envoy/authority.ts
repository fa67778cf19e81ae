/** An upstream's host and port as a request's `host` names them. */
import type { Upstream } from '../deployment/deployment.ts';
import { isIpAddress } from '../deployment/parse-deployment.ts';

export function authority({ scheme, host, port }: Pick<Upstream, 'scheme' | 'host' | 'port'>): string {
  const name = isIpAddress(host) && host.includes(':') ? `[${host}]` : host;
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}
