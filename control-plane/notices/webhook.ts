// Webhooks of recipients, as the operator of the control plane names them, and the signature of what is sent there:
// Standard Webhooks 1.0 (https://www.standardwebhooks.com), symmetric. Pure.
import { createHmac } from 'node:crypto';

export interface Webhook {
  readonly url: string;
  readonly secret: WebhookSecret;
}

/** By the name that policies give it. */
export type Webhooks = ReadonlyMap<string, Webhook>;

/** Prints nothing of itself. */
export class WebhookSecret {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  sign(content: string): Buffer {
    return createHmac('sha256', this.#key).update(content).digest();
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }
}

export class WebhooksError extends Error {
  readonly code = 'bad_webhooks';

  constructor(message: string) {
    super(message);
    this.name = 'WebhooksError';
  }
}

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES_LEAST = 24;
const SECRET_BYTES_MAX = 64;
export const WEBHOOKS_MAX = 256;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * `{"NAME": {"url": "https://…", "secret": "whsec_…"}}`. Plain HTTP is for this machine alone. Throws WebhooksError,
 * which repeats no secret.
 */
export function readWebhooks(json: string): Webhooks {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    throw new WebhooksError('it is not JSON');
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new WebhooksError('it is no object of webhooks by name');
  const entries = Object.entries(document);
  if (entries.length > WEBHOOKS_MAX) throw new WebhooksError(`it has more than ${WEBHOOKS_MAX} webhooks`);
  return new Map(entries.map(([name, value]: [string, unknown]) => [name, readWebhook(name, value)]));
}

function readWebhook(name: string, value: unknown): Webhook {
  const fields = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  const [url, secret] = [fields.get('url'), fields.get('secret')];
  if (typeof url !== 'string' || typeof secret !== 'string' || fields.size !== 2)
    throw new WebhooksError(`\`${name}\` has other entries than \`url\` and \`secret\``);
  return { url: checkedUrl(name, url), secret: checkedSecret(name, secret) };
}

function checkedUrl(name: string, text: string): string {
  if (!URL.canParse(text)) throw new WebhooksError(`the URL of \`${name}\` cannot be read`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw new WebhooksError(`the URL of \`${name}\` has a name or a password in it`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.has(url.hostname)))
    throw new WebhooksError(`the URL of \`${name}\` is not https`);
  return url.href;
}

function checkedSecret(name: string, text: string): WebhookSecret {
  const key = Buffer.from(text.slice(SECRET_PREFIX.length), 'base64');
  // What is left out as no base64 would make a weaker key than was meant.
  const isBase64 = key.toString('base64').replace(/=+$/, '') === text.slice(SECRET_PREFIX.length).replace(/=+$/, '');
  if (!text.startsWith(SECRET_PREFIX) || !isBase64 || key.length < SECRET_BYTES_LEAST || key.length > SECRET_BYTES_MAX)
    throw new WebhooksError(
      `the secret of \`${name}\` is not \`${SECRET_PREFIX}\` and ${SECRET_BYTES_LEAST} to ${SECRET_BYTES_MAX} bytes in base64`,
    );
  return new WebhookSecret(key);
}

/** The headers of one attempt. `now` is its time: a receiver refuses what is too old. */
export function webhookHeaders(
  { secret }: Pick<Webhook, 'secret'>,
  { id, now, body }: { readonly id: string; readonly now: number; readonly body: string },
): { readonly [name: string]: string } {
  const seconds = String(Math.floor(now / 1_000));
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,${secret.sign(`${id}.${seconds}.${body}`).toString('base64')}`,
  };
}
