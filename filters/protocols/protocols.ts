/** The protocols that the kernel understands. Adding one: its file, its line here, its fixtures in test/protocols. */
import { anthropicMessages } from './anthropic-messages.ts';
import { chroma } from './chroma.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiEmbeddings } from './openai-embeddings.ts';
import type { Protocol } from './protocol.ts';

export const protocols: readonly Protocol[] = [openaiChat, openaiEmbeddings, anthropicMessages, chroma];
