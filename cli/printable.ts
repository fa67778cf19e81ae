/** What clients wrote must not drive a terminal. */
export function printable(written: string): string {
  return written.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
