/** The sidecar cannot do its work. Why a bundle is refused is a BundleError; this is about everything else. */
export type SidecarErrorCode =
  | 'bad_envoy_document'
  | 'bad_deployment'
  | 'bad_filter'
  | 'envoy_refused'
  | 'envoy_late'
  | 'state'
  | 'locked'
  | 'options';

/** Nothing is wrong with the release: the same one may do later. */
export const PASSING_CODES: readonly SidecarErrorCode[] = ['envoy_late', 'state'];

export class SidecarError extends Error {
  readonly code: SidecarErrorCode;

  constructor(code: SidecarErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SidecarError';
    this.code = code;
  }
}
