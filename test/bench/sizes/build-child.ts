// In a process of its own, so that nothing is warm but the modules: milliseconds from a policy's files to its signed
// bundle, and of one check as an editor has it made after a keystroke. The policy's folder is the first argument.
import { bundleOf } from '../../../cli/compile.ts';
import { detectorCatalog } from '../../../cli/detector-catalog.ts';
import { readPolicyFiles } from '../../../cli/policy-files.ts';
import { checkParsed } from '../../../dsl/check.ts';
import { parse } from '../../../dsl/parser.ts';
import { bundleKey } from '../../control-plane/fixtures.ts';
import { compiledPolicy } from '../example-policy.ts';
import { microsecondsPerCall } from '../time-calls.ts';

export interface BuildTimes {
  readonly buildMs: number;
  readonly checkMs: number;
}

const [folder = '', seconds = ''] = process.argv.slice(2);
const start = performance.now();
bundleOf(await compiledPolicy(folder, null), bundleKey.signing);
const buildMs = performance.now() - start;
const { files } = await readPolicyFiles(folder, '/');
// The largest file is the one that is written in; the others are parsed already.
const [edited, ...others] = files.toSorted((a, b) => b.text.length - a.text.length);
if (edited === undefined) throw new Error(`${folder} has no policy`);
const parsed = others.map(parse);
const checkMs =
  microsecondsPerCall(() => checkParsed([parse(edited), ...parsed], detectorCatalog), Number(seconds)) / 1000;
const times: BuildTimes = { buildMs, checkMs };
process.stdout.write(JSON.stringify(times));
