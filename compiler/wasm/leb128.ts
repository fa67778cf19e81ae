/** Integers as WebAssembly writes them: seven bits a byte, the lowest first. WebAssembly Core Specification §5.2.2. */

/** Appends a whole number from 0 to 2^32 - 1. */
export function pushUnsigned(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}

/** Appends a number of 32 bits, signed. */
export function pushSigned(bytes: number[], value: number): void {
  let rest = value | 0;
  for (; rest < -0x40 || rest >= 0x40; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest & 0x7f);
}

/** Appends a number of 64 bits, signed. */
export function pushSignedWide(bytes: number[], value: bigint): void {
  let rest = value;
  for (; rest < -0x40n || rest >= 0x40n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest & 0x7fn));
}

export function unsigned(value: number): readonly number[] {
  const bytes: number[] = [];
  pushUnsigned(bytes, value);
  return bytes;
}
