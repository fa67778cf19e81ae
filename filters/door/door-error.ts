/** The door cannot do its work: a socket, a filter without room. Never about the content of an exchange. */
export type DoorErrorCode =
  | 'socket_path'
  | 'socket_bind'
  | 'no_policy'
  | 'too_many_exchanges'
  | 'filter_full'
  | 'reply_too_large'
  | 'protocol'
  | 'session';

export class DoorError extends Error {
  readonly code: DoorErrorCode;

  constructor(code: DoorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DoorError';
    this.code = code;
  }
}
