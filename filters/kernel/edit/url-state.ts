/**
 * Whether text stands where a reader of it may follow a link: in a URL, in the target of a Markdown link or image, in
 * an HTML tag. Read byte by byte. A browser and a Markdown reader take more for a URL than its grammar does (`//host`,
 * `https:\/\/host`, `www.host`, quotes, and blanks between `<` and `>`), so that in doubt the answer is yes.
 */
@unmanaged
export class UrlState {
  /** The byte before. */
  before: u32 = 0;
  state: u32 = 0;
  /** Letters `w` in a row. */
  ws: u32 = 0;
  inside: bool = false;

  step(c: u32): void {
    this.state = this.next(c);
    this.ws = (c | 0x20) == 0x77 ? this.ws + 1 : 0;
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
    return state == URL && !isSpace(c) && c != 0x3c ? URL : OUTSIDE;
  }
}

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

function isSlash(c: u32): bool {
  return c == 0x2f || c == 0x5c;
}
