/** Whether text stands inside a URL: from a scheme's `://` to the next space, quote, bracket or control character. Read byte by byte. */
@unmanaged
export class UrlState {
  /** Bytes of `://` seen in a row. */
  seen: u32 = 0;
  inside: bool = false;

  step(c: u32): void {
    if (c <= 0x20 || c == 0x22 || c == 0x27 || c == 0x3c || c == 0x3e || c == 0x60) {
      this.inside = false;
      this.seen = 0;
      return;
    }
    if (this.inside) return;
    if (c == 0x3a) this.seen = 1;
    else if (c == 0x2f && this.seen == 1) this.seen = 2;
    else if (c == 0x2f && this.seen == 2) this.inside = true;
    else this.seen = 0;
  }
}
