/**
 * OPA behind Envoy's ext_authz, as its server is: the request's body is the input, an undefined decision is a 404 and
 * so a denial. It runs the detectors' patterns over the messages and the example's prompt rules over what they find.
 * It does less than we do: no redaction, no routing, and it never sees a reply. What it cannot know of the caller and
 * of spending is the same in every request.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../examples/parts/free-port.ts';
import { install } from '../../../examples/parts/opa.ts';
import { startRunning } from '../../../examples/parts/running.ts';
import { detectors } from '../../../filters/detectors/detectors.ts';
import { wordPattern } from '../scan/patterns.ts';
import { LARGE_BYTES } from './load-case.ts';
import { authorizer, httpCluster } from './plain-envoy.ts';
import { startPlain } from './plain-targets.ts';
import type { TargetKind } from './target.ts';

const RULES = fileURLToPath(new URL('../decide/policy.rego', import.meta.url));
const READY_MS_MAX = 20_000;
/** The decision's document is at the request's path, under this. */
const PATH_PREFIX = '/v0/data/peer_envoy';

export const opaTarget: TargetKind = {
  id: 'opa',
  name: 'Envoy + OPA by ext_authz, requests only',
  isPeer: true,
  // It needs a second and more for a large body: many at once would only wait for each other, beyond every time limit.
  takes: ({ bodyBytes, concurrency }) => bodyBytes < LARGE_BYTES || concurrency === 1,
  start: async (place) => {
    const { binary } = await install();
    const policy = join(place.folder, 'authorize.rego');
    writeFileSync(policy, authorizeRego());
    const port = await freePort();
    const opa = await startRunning({
      part: 'opa',
      command: binary,
      args: ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', RULES, policy],
      folder: place.folder,
      isReady: async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok,
      readyMsMax: READY_MS_MAX,
    });
    place.cleanups.add(() => opa.stop());
    const target = await startPlain(place, {
      filters: [authorizer('opa', port, PATH_PREFIX)],
      clusters: [httpCluster('opa', port)],
    });
    return { ...target, processes: { ...target.processes, opa: opa.pid } };
  },
};

/** `/v1/chat/completions` under the prefix is `data.peer_envoy.v1.chat.completions`. */
function authorizeRego(): string {
  const found = detectors.flatMap(({ name, forms }) =>
    forms.map(({ pattern }) =>
      [
        `found contains ${JSON.stringify(name)} if {`,
        '\tsome message in input.messages',
        `\tregex.match(${JSON.stringify(wordPattern(pattern))}, message.content)`,
        '}',
      ].join('\n'),
    ),
  );
  return `package peer_envoy.v1.chat

${found.join('\n\n')}

facts := {
	"caller": {"department": "finance", "region": "us", "groups": []},
	"prompt": {
		"requested_model": input.model,
		"complexity": 100,
		"tokens_estimate": 400,
		"input_tokens_bound": 800,
		"messages": [{"role": message.role} | some message in input.messages],
	},
	"text": {"found": found},
	"budget": {"marketing_month": {"headroom": 1000000, "spent": 0}, "trial_day": {"headroom": 1000000, "spent": 0}},
}

completions if {
	decision := data.peer.decision with input as facts
	decision.outcome == "allow"
}
`;
}
