/** The filter cannot be loaded, or has no room: the one error of the host. */
export type FilterErrorCode = 'load' | 'exhausted';

export class FilterError extends Error {
  readonly code: FilterErrorCode;

  constructor(code: FilterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FilterError';
    this.code = code;
  }
}
