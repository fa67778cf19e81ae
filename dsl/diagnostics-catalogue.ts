/** Placeholder replaced below. */
export type DiagnosticCode = `E${string}` | `W${string}`;
