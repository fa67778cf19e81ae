// Why a bundle or a release was refused. The code is what programs, `writ status` and the tests look at; the message is
// one line for people and holds no content of the bundle.

export type BundleErrorCode =
  // The container
  | 'truncated'
  | 'not_gzip'
  | 'not_tar'
  | 'too_large'
  | 'too_many_files'
  | 'bad_path'
  | 'not_a_file'
  | 'duplicate_path'
  | 'not_canonical'
  // The content
  | 'bad_manifest'
  | 'bad_json'
  | 'wrong_revision'
  // The signature
  | 'unsigned'
  | 'bad_signature'
  | 'unsupported_algorithm'
  | 'unknown_key'
  | 'bad_key'
  | 'wrong_signature'
  | 'missing_file'
  | 'extra_file'
  | 'wrong_hash'
  // The release
  | 'bad_release'
  | 'wrong_release'
  | 'old_sequence'
  // Notices
  | 'bad_notice_terms'
  // Feeds
  | 'bad_value'
  | 'bad_feed'
  | 'bad_feed_terms'
  | 'wrong_feed'
  | 'too_many_entries'
  | 'beyond_maximum'
  | 'future';

export class BundleError extends Error {
  readonly code: BundleErrorCode;

  constructor(code: BundleErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'BundleError';
    this.code = code;
  }
}
