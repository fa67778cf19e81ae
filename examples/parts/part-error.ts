// The one error of the real parts: what the machine lacks, what could not be installed, what did not start.

export type PartErrorCode =
  /** The machine lacks a tool that the installation starts from (python3 with venv, npm). */
  | 'missing_tool'
  | 'install_failed'
  /** The process ended before it was ready. */
  | 'exited_early'
  /** The process was still not ready at its time limit. */
  | 'not_ready'
  /** A finite command (an OPA evaluation, a validation by Envoy) could not be run. */
  | 'command_failed';

export class PartError extends Error {
  readonly code: PartErrorCode;
  readonly part: string;

  constructor(part: string, code: PartErrorCode, message: string, options?: ErrorOptions) {
    super(`${part}: ${message}`, options);
    this.name = 'PartError';
    this.part = part;
    this.code = code;
  }
}
