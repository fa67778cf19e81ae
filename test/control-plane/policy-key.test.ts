// The key of pseudonyms from the control plane's folder to a sidecar: who is given which, and what is kept.
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { deploymentKeyIn, KeyFileError, readDeploymentKey } from '../../control-plane/keys/key-folder.ts';
import { PolicyKey } from '../../filters/sidecar/policy-key.ts';
import { openStateFolder } from '../../filters/sidecar/state-folder.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import { Nodes } from '../../proto/gen/writ/v1/nodes_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import { startTestControlPlane, type TestControlPlane } from './fixtures.ts';

const folders: string[] = [];
const newFolder = (): string => {
  folders.push(mkdtempSync(join(tmpdir(), 'writ-policy-key-')));
  return folders.at(-1)!;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the control plane', () => {
  const key = DeploymentKey.random();
  let control: TestControlPlane;
  beforeAll(async () => {
    control = await startTestControlPlane({ deploymentKey: () => key });
  });
  afterAll(() => control.stop());
  const report = async (policy: string): Promise<Uint8Array> =>
    (
      await unaryCall(
        control.client({ kind: 'node', name: 'n1' }),
        Nodes.method.report,
        { policy },
        { timeoutMs: 5_000 },
      )
    ).policyKey;

  test('gives a node what is derived for its policy, never the key itself', async () => {
    expect(Buffer.from(await report('acme'))).toEqual(Buffer.from(key.forPolicy('acme').reveal()));
    expect(await report('acme')).not.toEqual(await report('other'));
    expect(Buffer.from(await report('acme'))).not.toEqual(Buffer.from(key.reveal()));
    expect(control.logged.join()).not.toContain(Buffer.from(key.reveal()).toString('hex'));
  });

  test('gives an admin none', async () => {
    await expect(
      unaryCall(
        control.client({ kind: 'admin', name: 'a' }),
        Nodes.method.report,
        { policy: 'acme' },
        { timeoutMs: 5_000 },
      ),
    ).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  });
});

test('a control plane without a key gives none', async () => {
  const control = await startTestControlPlane();
  const reply = await unaryCall(
    control.client({ kind: 'node', name: 'n1' }),
    Nodes.method.report,
    { policy: 'acme' },
    { timeoutMs: 5_000 },
  );
  expect(reply.policyKey).toHaveLength(0);
  await control.stop();
});

test('a control plane knows the key again that it has used, and does not start with another unless it may', async () => {
  const folder = newFolder();
  const path = join(folder, 'deployment.key');
  let mayBeNew = false;
  const control = await startTestControlPlane({
    deploymentKey: (usedMark) => deploymentKeyIn(folder, { usedMark, mayBeNew }),
  });
  const first = readDeploymentKey(path);
  await control.restart();
  rmSync(path);
  await expect(control.restart()).rejects.toMatchObject({ name: 'KeyFileError', code: 'missing' });
  // Nothing was made in its place.
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, DeploymentKey.random().revealText(), { mode: 0o600 });
  await expect(control.restart()).rejects.toMatchObject({ name: 'KeyFileError', code: 'another' });
  writeFileSync(path, first.revealText(), { mode: 0o600 });
  await control.restart();
  rmSync(path);
  mayBeNew = true;
  await control.restart();
  mayBeNew = false;
  await control.restart();
  expect(readDeploymentKey(path).equals(first)).toBe(false);
  expect(readDeploymentKey(path).mark()).not.toBe(first.mark());
  await control.stop();
});

test('the folder of keys has one that others cannot read, made once', () => {
  const folder = newFolder();
  const made = deploymentKeyIn(folder);
  const path = join(folder, 'deployment.key');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(deploymentKeyIn(folder).equals(made)).toBe(true);
  expect(deploymentKeyIn(newFolder()).equals(made)).toBe(false);
  chmodSync(path, 0o644);
  expect(() => readDeploymentKey(path)).toThrow(KeyFileError);
  chmodSync(path, 0o600);
  writeFileSync(path, 'abc\n');
  expect(() => readDeploymentKey(path)).toThrow('does not hold 64 hex digits');
  expect(() => readDeploymentKey(join(folder, 'none.key'))).toThrow('cannot be read');
});

describe('a sidecar', () => {
  const [first, second] = [DeploymentKey.random(), DeploymentKey.random()];
  const filter = () => {
    const taken: DeploymentKey[] = [];
    const keyed = { takeKey: (key: DeploymentKey) => taken.push(key), masked: () => 0 };
    return { taken, port: { keyed } as unknown as Parameters<PolicyKey['giveTo']>[0] };
  };

  test('gives the key to the filter that runs, and to the next; a reply without one takes none away', () => {
    const key = new PolicyKey(openStateFolder(newFolder()), undefined);
    const [one, two] = [filter(), filter()];
    key.giveTo(one.port);
    expect(one.taken).toEqual([]);
    key.take(first);
    key.take(undefined);
    key.take(DeploymentKey.of(first.reveal()));
    expect(one.taken).toEqual([first]);
    key.giveTo(two.port);
    expect(two.taken).toEqual([first]);
    key.take(second);
    expect(two.taken).toEqual([first, second]);
    expect(key.current?.equals(second)).toBe(true);
  });

  test('starts with the one it was told before, kept where others cannot read it', () => {
    const folder = newFolder();
    const state = openStateFolder(folder);
    new PolicyKey(state, undefined).take(first);
    state.close();
    const path = join(folder, 'policy.key');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(new PolicyKey(openStateFolder(folder), undefined).current?.equals(first)).toBe(true);
  });

  test("an operator's own is neither replaced nor kept", () => {
    const folder = newFolder();
    const key = new PolicyKey(openStateFolder(folder), first);
    key.take(second);
    expect(key.current?.equals(first)).toBe(true);
    expect(() => statSync(join(folder, 'policy.key'))).toThrow();
  });
});
