/** `writ decide`: asks a bundle's compiled policy for one decision. */
import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';
import { type Command, CommandError, parse, type World } from '../command.ts';
import { readBytes, readText } from '../files.ts';

export const decide: Command = {
  name: 'decide',
  help: `usage: writ decide BUNDLE [FACTS]

Prints the decision of BUNDLE (made by \`writ build\`) on an event's facts, as JSON. FACTS is a JSON file; without it, or with \`-\`, standard input is read.
The forms of both documents are in the bundle: writ/schema/input.schema.json and writ/schema/decision.schema.json.

  example: echo '{"event":"retrieval","store":"handbook","caller":{"id":"u1"}}' | writ decide acme.tar.gz

Where the input is no event of the policy, it is denied, and standard error says why.

exit codes: 0 a decision was made (allow or deny), 2 BUNDLE or FACTS cannot be read`,
  async run(args, world) {
    const { positionals } = parse(this, args, { json: { type: 'boolean', default: false } });
    const [bundle, facts = '-', ...rest] = positionals;
    if (bundle === undefined || rest.length > 0)
      throw new CommandError(
        '`writ decide` takes a BUNDLE and at most one file of FACTS',
        '`writ decide --help` shows how',
      );
    const files = readBundle(await readBytes(bundle, world.cwd, 'bundle'));
    const wasm = files.get(BUNDLE_PATHS.policyWasm);
    if (wasm === undefined) throw new CommandError(`the bundle \`${bundle}\` has no policy.wasm`);
    const policy = await loadPolicy(Buffer.from(wasm));
    const data = files.get(BUNDLE_PATHS.data);
    if (data !== undefined) policy.setData(JSON.parse(new TextDecoder().decode(data)));
    const read = await readFacts(facts, world);
    const results: readonly { readonly result?: unknown }[] = policy.evaluate(read);
    const decision = results[0]?.result;
    if (decision === undefined) throw new CommandError('the policy gave no decision');
    world.out(`${JSON.stringify(decision, null, 2)}\n`);
    if (member(decision, 'event') === null)
      world.err(`writ: ${whyNoEvent(read, files.get(BUNDLE_PATHS.inputSchema))}\n`);
    return 0;
  },
};

/** Why the input is an event of none of the policy's. */
function whyNoEvent(facts: object, schema: Uint8Array | undefined): string {
  const names =
    schema === undefined
      ? []
      : member(member(member(JSON.parse(new TextDecoder().decode(schema)), 'properties'), 'event'), 'enum');
  const events = Array.isArray(names) ? names.map((each) => `\`${String(each)}\``) : [];
  const event = member(facts, 'event');
  if (event === undefined) return `the facts name no \`event\`; this policy decides ${events.join(', ')}`;
  const shown = `\`${typeof event === 'string' ? event : JSON.stringify(event)}\``;
  if (!events.includes(shown) || typeof event !== 'string')
    return `${shown} is no event of this policy, which decides ${events.join(', ')}`;
  return `the facts of a ${event} must name a \`store\` of the policy`;
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}

async function readFacts(path: string, world: World): Promise<object> {
  const text = path === '-' ? await world.stdin() : await readText(path, world.cwd, 'file of facts');
  try {
    const facts: unknown = JSON.parse(text);
    if (typeof facts === 'object' && facts !== null) return facts;
  } catch {
    // Said below, for text that is not JSON and for JSON that is not an object alike.
  }
  throw new CommandError('the facts are not a JSON object');
}
