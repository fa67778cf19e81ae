// The few forms of ASN.1's distinguished encoding rules (X.690) that a certificate is made of. It writes only.

const SEQUENCE = 0x30;
const SET = 0x31;

export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return tagged(SEQUENCE, Buffer.concat(items));
}

export function set(...items: readonly Uint8Array[]): Uint8Array {
  return tagged(SET, Buffer.concat(items));
}

/** A non-negative integer from its bytes, highest first. */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  // A leading one bit would make it negative.
  return tagged(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), digits]) : digits);
}

export function boolean(value: boolean): Uint8Array {
  return tagged(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function octets(bytes: Uint8Array): Uint8Array {
  return tagged(0x04, bytes);
}

/** Whole bytes, or fewer bits where the last ones are left out. */
export function bits(bytes: Uint8Array, unused = 0): Uint8Array {
  return tagged(0x03, Buffer.concat([Uint8Array.of(unused), bytes]));
}

export function utf8(text: string): Uint8Array {
  return tagged(0x0c, Buffer.from(text, 'utf8'));
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** X.509's two forms of time: two digits of the year before 2050, four from then on. */
export function time(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : tagged(0x18, Buffer.from(digits, 'ascii'));
}

/** `[n]` around an encoded item. */
export function explicit(n: number, item: Uint8Array): Uint8Array {
  return tagged(0xa0 + n, item);
}

/** `[n]` in place of the tag of a primitive. */
export function implicit(n: number, content: Uint8Array): Uint8Array {
  return tagged(0x80 + n, content);
}

function tagged(tag: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag), length(content.length), content]);
}

function length(value: number): Uint8Array {
  if (value < 0x80) return Uint8Array.of(value);
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(0x80 + bytes.length, ...bytes);
}

/** Seven bits a byte, all but the last with the high bit. */
function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 + (rest % 128));
  return bytes;
}
