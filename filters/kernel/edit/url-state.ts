/**
 * Whether text stands where a reader of it may follow a link: in a URL, in the target of a Markdown link or image, in
 * an HTML tag. Read byte by byte. A browser, a Markdown reader and a chat's own search for links take more for a URL
 * than its grammar does (`//host`, `https:\/\/host`, `www.host`, `host.example/path`, quotes, and blanks between `<` and
 * `>`), so that in doubt the answer is yes.
 */
@unmanaged
export class UrlState {
  /** The byte before. */
  before: u32 = 0;
  state: u32 = 0;
  /** Letters `w` in a row. */
  ws: u32 = 0;
  /** How much of a name with a dot in it stands here: `NO_HOST` to `HOST`. */
  host: u32 = NO_HOST;
  inside: bool = false;

  step(c: u32): void {
    this.state = this.next(c);
    this.ws = (c | 0x20) == 0x77 ? this.ws + 1 : 0;
    this.host = this.nextHost(c);
    this.before = c;
    this.inside = this.state != OUTSIDE;
  }

  private next(c: u32): u32 {
    const state = this.state;
    if (state == TAG) {
      if (c == 0x22) return DOUBLE_QUOTED;
      if (c == 0x27) return SINGLE_QUOTED;
      return c == 0x3e && this.before != 0x5c ? OUTSIDE : TAG;
    }
    if (state == DOUBLE_QUOTED) return c == 0x22 ? TAG : state;
    if (state == SINGLE_QUOTED) return c == 0x27 ? TAG : state;
    if (state == TARGET && isSpace(c)) return TARGET;
    if (state == TARGET && c == 0x3c) return TAG;
    if (this.before == 0x3c && ((c | 0x20) - 0x61 <= 25 || isSlash(c))) return TAG;
    if (this.before == 0x5d && (c == 0x28 || c == 0x3a)) return TARGET;
    if (isSlash(c) && isSlash(this.before)) return URL;
    if (c == 0x2e && this.ws == 3) return URL;
    if (state == TARGET) return URL;
    if (this.host == HOST && (isSlash(c) || c == 0x3f || c == 0x23)) return URL;
    return state == URL && !isSpace(c) && c != 0x3c ? URL : OUTSIDE;
  }

  private nextHost(c: u32): u32 {
    const host = this.host;
    if (isNamed(c)) return host == NO_HOST ? LABEL : host == LABEL_DOT ? HOST : host;
    if (host == HOST && (c == 0x2e || c == 0x3a)) return HOST;
    return host == LABEL && c == 0x2e ? LABEL_DOT : NO_HOST;
  }
}

const NO_HOST: u32 = 0;
const LABEL: u32 = 1;
const LABEL_DOT: u32 = 2;
/** `a.b`, and a port behind it. */
const HOST: u32 = 3;

const OUTSIDE: u32 = 0;
/** Behind `](` or `]:`, before the first character of the link's target. */
const TARGET: u32 = 1;
/** Up to a blank, or a `<`. */
const URL: u32 = 2;
/** Between `<` and `>`, and there between quotes. */
const TAG: u32 = 3;
const DOUBLE_QUOTED: u32 = 4;
const SINGLE_QUOTED: u32 = 5;

function isSpace(c: u32): bool {
  return c <= 0x20;
}

/** A letter of any script, a digit, a dash. */
function isNamed(c: u32): bool {
  return (c | 0x20) - 0x61 <= 25 || c - 0x30 <= 9 || c == 0x2d || c >= 0x80;
}

function isSlash(c: u32): bool {
  return c == 0x2f || c == 0x5c;
}
