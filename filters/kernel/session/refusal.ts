/**
 * The last events of a stream that is refused in mid-way, in the form of its protocol, so that clients end it as their
 * library says.
 */
import { Bytes } from '../bytes';
import { modelRecord } from '../decision/api';
import { MODEL_WIRE_NAME } from '../decision/layout';
import { appendEscaped, appendNumber } from '../json/escape';
import { FORM_ANTHROPIC } from '../protocol/places';
import { appendError } from './denial';
import { put } from '../http/literal';
import { Session } from './session-state';

export function appendRefusal(s: Session, message: Bytes): void {
  if (s.form == FORM_ANTHROPIC) return anthropic(s, message);
  const out = s.out().bodyRun();
  for (let i: u32 = 0; i < s.choices; i += 1) {
    if (i < 64 && (s.streamOf().open & ((<u64>1) << (<u64>i))) == 0) continue;
    put(out, 'data: {"id":"writ","object":"chat.completion.chunk","created":');
    appendNumber(out, <u64>(s.now / 1_000));
    put(out, ',"model":"');
    if (s.chosen >= 0) {
      const name = modelRecord(s.chosen) + MODEL_WIRE_NAME;
      appendEscaped(out, <usize>load<u32>(name), load<u32>(name, 4));
    }
    put(out, '","choices":[{"index":');
    appendNumber(out, i);
    put(out, ',"delta":{"refusal":"');
    appendEscaped(out, message.ptr, message.len);
    put(out, '"},"finish_reason":"content_filter"}]}\n\n');
  }
  put(out, 'data: [DONE]\n\n');
}

/** Open blocks are closed, then the error is told, then the message ends. */
function anthropic(s: Session, message: Bytes): void {
  const out = s.out().bodyRun();
  for (let i: u32 = 0; i < 64; i += 1) {
    if ((s.streamOf().open & ((<u64>1) << (<u64>i))) == 0) continue;
    put(out, 'event: content_block_stop\ndata: {"type":"content_block_stop","index":');
    appendNumber(out, i);
    put(out, '}\n\n');
  }
  put(
    out,
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null},"usage":{"output_tokens":',
  );
  appendNumber(out, s.outputTokens > 0 ? <u64>s.outputTokens : 0);
  put(out, '}}\n\nevent: error\ndata: ');
  appendError(out, s.form, 403, message);
  put(out, '\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n');
}
