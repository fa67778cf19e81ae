// Connections to the outside, through the real Envoy's outbound listener, whichever door governs requests: who may be
// called comes from the rules, a list and a switch, and what nobody has approved gets no byte further than Envoy.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRole, readTrustedKeys } from '../../control-plane/keys/key-folder.ts';
import { createSignerKey } from '../../control-plane/keys/signer-key.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/main.ts';
import { type RunningEnvoy, start as startEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { type Sidecar, startSidecar } from '../../filters/sidecar/start-sidecar.ts';
import { DOORS } from '../../proto/door.ts';
import { writ } from '../cli/run-writ.ts';
import { settles } from './settles.ts';

// RFC 6761 §6.3: every resolver has these names at the loopback.
const APPROVED = 'api.approved.localhost';
const TAGGED = 'api.tagged.localhost';
const UNKNOWN = 'api.unknown.localhost';
const POLICY = `policy outbound {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: deny
  default completion: deny
  default retrieval: deny
  default ingest: deny
  default egress: deny
  on failure: deny
}
list vendors of text from "ai-vendors" max age 1 day
switch sealed "Nothing goes out" by "oncall"
rule known_vendors "Only AI providers that are approved are called" on egress
  where egress.host is in vendors
  allow
rule looked_at "Counted, until somebody has approved or refused it" on egress
  where egress.host is "${TAGGED}"
  allow
  tag shadow_ai = true
rule sealed_off on egress
  where switch sealed
  deny "Nothing goes out"
`;

describe.each(DOORS)('beside the door %s', (door) => {
  let folder: string;
  let planePort: number;
  let port: number;
  let plane: ControlPlane | undefined;
  let sidecar: Sidecar;
  let isWithoutSidecar = false;
  let envoy: RunningEnvoy;
  let outside: Server;
  /** Hosts whose clients reached the server outside. */
  const reached: string[] = [];

  const keys = (): string => join(folder, 'keys');
  const run = async (...args: string[]): Promise<string> => {
    const to = ['--keys', 'keys', '--control-plane', `localhost:${planePort}`];
    const { code, out, err } = await writ([...args, ...to], { cwd: folder });
    if (code !== 0) throw new Error(err);
    return out;
  };
  const vendors = (...args: string[]) => run('list', ...args, '--policy', 'outbound', '--signer', 'ops');
  const log = (): string => {
    const path = join(folder, 's', 'decisions.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const call = (host: string | undefined): Promise<string> => callBy(port, host);
  /** Often enough to meet every worker of Envoy. */
  const always = async (host: string, answer: string): Promise<boolean> =>
    (await Promise.all(Array.from({ length: 8 }, () => call(host)))).every((each) => each === answer);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'writ-egress-'));
    planePort = await freePort();
    port = await freePort();
    await writ(['keys', 'init', 'keys'], { cwd: folder });
    for (const name of ['ops', 'oncall']) createSignerKey(keys(), name);
    const pem = (name: string): string => readFileSync(join(keys(), 'signers', `${name}.pem`), 'utf8');
    const node = readRole(keys(), { kind: 'node', name: 'sidecar' });
    const server = readRole(keys(), { kind: 'control-plane' });
    outside = createServer({ key: server.privateKeyPem, cert: server.certificatePem }, (socket) => {
      const { servername } = socket as TLSSocket & { readonly servername: string };
      reached.push(servername);
      socket.on('error', () => undefined);
      socket.end(`hello from ${servername}`);
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    const { port: upstreamPort } = outside.address() as { readonly port: number };
    mkdirSync(join(folder, 'policy'));
    writeFileSync(join(folder, 'policy', 'outbound.writ'), POLICY);
    writeFileSync(
      join(folder, 'policy', 'deployment.json'),
      JSON.stringify({
        listener: { port: await freePort() },
        egress: { port, upstreamPort },
        signers: { ops: { keys: [pem('ops')], lists: ['ai-vendors'] }, oncall: { keys: [pem('oncall')] } },
      }),
    );
    plane = await startControlPlane({
      stateFolder: join(folder, 'plane'),
      credential: server,
      trustedKeys: () => readTrustedKeys(keys()),
      host: '127.0.0.1',
      port: planePort,
      httpPort: 0,
      log: () => undefined,
    });
    await run('push', 'policy', '--door', door);
    sidecar = await startSidecar({
      stateFolder: join(folder, 's'),
      node: 'sidecar',
      policy: 'outbound',
      keys: readTrustedKeys(keys()),
      loadFilter,
      adminPort: 0,
      version: '0.1.0',
      alarm: () => undefined,
      controlPlane: {
        address: `localhost:${planePort}`,
        ca: Buffer.from(node.authorityPem),
        certificate: Buffer.from(node.certificatePem),
        key: Buffer.from(node.privateKeyPem),
      },
    });
    envoy = await startEnvoy({ config: sidecar.bootstrap, concurrency: 2 });
    await settles(() => sidecar.status().enforcing?.sequence === 1, 20_000);
  });

  afterAll(async () => {
    await envoy?.stop();
    if (!isWithoutSidecar) await sidecar?.stop();
    await plane?.stop();
    outside?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a list of which nothing was published has failed: nobody is called', async () => {
    expect(await call(APPROVED)).toBe('closed');
    expect(await call(TAGGED)).toBe('closed');
    expect(reached).toEqual([]);
  });

  test('who is on the list is called, with the TLS of client and server untouched; nobody else is', async () => {
    await vendors('import', 'ai-vendors', '/dev/null');
    await vendors('add', 'ai-vendors', APPROVED);
    await settles(() => always(APPROVED, `hello from ${APPROVED}`));
    expect(await call(APPROVED.toUpperCase())).toBe(`hello from ${APPROVED.toUpperCase()}`);
    reached.length = 0;
    expect(await always(UNKNOWN, 'closed')).toBe(true);
    expect(reached).toEqual([]);
  });

  test('a host that is only looked at is called, and stands in the decision log and the counts', async () => {
    expect(await call(TAGGED)).toBe(`hello from ${TAGGED}`);
    await settles(() => log().includes('"tags":[{"name":"shadow_ai","value":"true"}]'));
    const decisions = log()
      .split('\n')
      .filter((line) => line.includes('"event":"egress"'));
    expect(decisions.some((line) => line.includes('"outcome":"deny"'))).toBe(true);
    const told = await (await fetch(`http://127.0.0.1:${sidecar.adminPort}/metrics`)).text();
    expect(told).toMatch(/writ_decisions_total\{event="egress",outcome="allow"\} [1-9]/);
    expect(told).toMatch(/writ_decisions_total\{event="egress",outcome="deny"\} [1-9]/);
  });

  test('what names no host, an address, or speaks no TLS is closed', async () => {
    reached.length = 0;
    expect(await call(undefined)).toBe('closed');
    expect(await call('127.0.0.1.')).toBe('closed');
    expect(await plain(port, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')).toBe('');
    expect(reached).toEqual([]);
  });

  test('a switch closes the way for everybody, within seconds', async () => {
    await run('switch', 'on', 'sealed', '--policy', 'outbound', '--signer', 'oncall');
    await settles(() => always(APPROVED, 'closed'));
    await run('switch', 'off', 'sealed', '--policy', 'outbound', '--signer', 'oncall');
    await settles(() => always(APPROVED, `hello from ${APPROVED}`));
  });

  test('without the control plane and the sidecar, Envoy goes on deciding as it last knew', async () => {
    await plane?.stop();
    plane = undefined;
    expect(await always(APPROVED, `hello from ${APPROVED}`)).toBe(true);
    expect(await always(UNKNOWN, 'closed')).toBe(true);
    await sidecar.stop();
    isWithoutSidecar = true;
    expect(await always(APPROVED, `hello from ${APPROVED}`)).toBe(true);
    expect(await always(UNKNOWN, 'closed')).toBe(true);
  });
});

/** What a client hears that opens a connection for this host; `closed` where it is ended before its TLS is set up. */
function callBy(port: number, servername: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
    });
    socket.on('data', (bytes) => (heard += bytes.toString()));
    socket.on('error', () => resolve('closed'));
    socket.on('close', () => resolve(heard === '' ? 'closed' : heard));
  });
}

function plain(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connectTcp({ host: '127.0.0.1', port }, () => socket.write(text));
    socket.on('data', (bytes) => (heard += bytes.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
  });
}
