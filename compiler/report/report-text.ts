/** The report as text for people: what a policy officer prints and an auditor reads. */
import { grouped } from './describe.ts';
import { type EventReport, type GuaranteeReport, type Report, type Statement, whenOf } from './report.ts';

export function reportText(report: Report): string {
  return [
    `Policy ${report.policy}, owner ${report.owner}`,
    `source ${report.sourceHash}, compiled by writ ${report.compilerVersion}`,
    section(
      'Not enforced yet, therefore denied',
      report.unenforced.map(({ rule, form }) => `${rule}: \`${form}\``),
    ),
    section(
      'Imported: what else is written here only narrows it',
      report.imports.map(({ path, sha256 }) => `${path}, sha256:${sha256}`),
    ),
    section('Who counts as a caller', callersText(report)),
    section(
      'Models',
      report.models.flatMap(({ name, wireName, provider, attributes, prices, worstCase, worstCaseMore, ...model }) => [
        `${name} ("${wireName}", ${provider})${attributesText(attributes)}`,
        `  ${prices}; a context of ${grouped(String(model.context))} tokens, answers of at most ${grouped(String(model.maxOutput))}`,
        `  a request costs at most ${worstCase}, and ${worstCaseMore} more for each answer beyond the first`,
      ]),
    ),
    section(
      'Stores',
      report.stores.map(({ name, kind, collection }) => `${name}: ${kind} "${collection}"`),
    ),
    section('Other currencies, rounded up to a millionth', report.rates),
    section(
      'Hours',
      report.hours.map(({ name, when }) => `${name}: ${when}`),
    ),
    section(
      'Lists and switches, which come beside the bundle',
      report.feeds.map(({ name, what }) => `${name}: ${what}`),
    ),
    section('Guarantees', report.guarantees.map(guaranteeText)),
    ...report.events.map(eventText),
    section(
      'Detectors',
      report.detectors.map(
        ({ name, source, holdMost }) =>
          `${name} (${source})${holdMost === null ? '' : `; a streamed answer is held back by at most ${grouped(String(holdMost))} bytes where one may be coming`}`,
      ),
    ),
    section('How each endpoint is read', [
      'scanned: text that is searched for what rules name, and redacted where a rule says so',
      'used: read by the gateway itself, to decide and to count; passed: numbers and fixed words, forwarded as they are',
      'refused: a request or an answer that has it is denied; [] is each element, * each other key, ** all below',
    ]),
    ...report.endpoints
      .filter((endpoint) => endpoint.event !== 'pass')
      .map((endpoint) => {
        const places = (title: string, from: typeof endpoint.request): string[] =>
          (['scanned', 'used', 'passed', 'refused'] as const).flatMap((treatment) => {
            const paths = from.filter((place) => place.treatment === treatment).map((place) => place.path);
            return paths.length === 0 ? [] : wrapped(`${title} ${treatment}:`, paths);
          });
        return section(`${endpoint.method} ${endpoint.path} (${endpoint.event})`, [
          ...places('request', endpoint.request),
          ...places('reply', endpoint.reply),
          ...places('stream', endpoint.stream),
          'everything else is denied',
        ]);
      }),
    section(
      'Other endpoints that pass',
      report.endpoints.filter((endpoint) => endpoint.event === 'pass').map(({ method, path }) => `${method} ${path}`),
    ),
    section('When something fails', report.failure),
    section(
      'Doors that can serve this policy',
      report.doors.map(
        ({ door, obstacles }) =>
          `${door}: ${obstacles.length > 0 ? `no, ${obstacles.join('; ')}` : door === report.door ? 'yes, and this bundle is built for it' : 'yes'}`,
      ),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n')
    .concat('\n');
}

function eventText(event: EventReport): string {
  const title = titleOf(event);
  const notes = [
    DEFAULTS[event.default ?? 'none'],
    ...(event.stream === null ? [] : [STREAMS[event.stream] ?? event.stream]),
    ...(event.event === 'tool_call' ? ['a streamed answer waits from its first call on until that call is whole'] : []),
  ];
  return `${section(`On ${title}`, notes)}\n${event.statements.map(statementText).join('\n')}`;
}

function titleOf({ event, store, tool }: EventReport): string {
  if (event === 'exchange') return 'an exchange that is over';
  if (event === 'tool_call') return tool === null ? 'a tool call to no declared tool' : `a tool call to ${tool}`;
  return store === null ? event : `${event} ${event === 'ingest' ? 'into' : 'from'} ${store}`;
}

const DEFAULTS = {
  allow: 'what no rule denies is allowed',
  deny: 'what no rule allows is denied',
  none: 'decided when it is over, however it ended: nothing is denied any more',
} as const;

const STREAMS: { readonly [kind: string]: string } = {
  early: 'a streamed answer passes as it comes, and ends as soon as a rule denies',
  causal: 'a streamed answer is redacted as it passes, and ends as soon as a rule denies',
  buffered: 'a streamed answer is held back whole, decided, then sent at once',
};

function statementText(statement: Statement): string {
  const title = statement.title === null ? '' : ` "${statement.title}"`;
  const lines = statement.cases.flatMap((each) => {
    const when = whenOf(each);
    return when === '' ? each.does : [when, ...each.does.map((what) => `  ${what}`)];
  });
  return [
    `  ${statement.name}${title}${citations(statement.cites)}`,
    ...(lines.length === 0 ? ['nothing: its condition never holds'] : lines).map((line) => `    ${line}`),
  ].join('\n');
}

function guaranteeText({ name, title, cites, kept }: GuaranteeReport): string {
  return `${name}${title === null ? '' : ` "${title}"`}${citations(cites)}: ${kept}`;
}

function citations(cites: readonly string[]): string {
  return cites.length === 0 ? '' : ` [${cites.join(', ')}]`;
}

function callersText({ callers: { ways, attributes } }: Report): string[] {
  return [
    ...(ways === null
      ? ['the bundle was built without a deployment, which says who: it decides for OPA, and governs no traffic']
      : ways.length === 0
        ? [
            'nobody: the deployment names no token issuer, no API key and no certificate, so every request is answered with 401',
          ]
        : [
            ...ways.map((way) => `- ${way}`),
            'Nobody else: the request is answered with 401. Headers that a client writes name nobody.',
          ]),
    ...(attributes.length === 0 ? [] : ['Rules read of a caller:']),
    ...attributes.map(({ name, claim, absent }) => `  ${name}, from the claim "${claim}"; ${absent}`),
  ];
}

const COLUMNS = 118;

/** Paths after a title, in lines of at most `COLUMNS` where one path is not longer. */
function wrapped(title: string, paths: readonly string[]): string[] {
  const lines: string[] = [];
  let line = title;
  paths.forEach((path, at) => {
    const word = `${path}${at === paths.length - 1 ? '' : ','}`;
    if (line.length + 1 + word.length <= COLUMNS) line += ` ${word}`;
    else {
      lines.push(line);
      line = `  ${word}`;
    }
  });
  return [...lines, line];
}

function attributesText(attributes: { readonly [name: string]: unknown }): string {
  return Object.entries(attributes)
    .map(([name, value], at) => `${at === 0 ? ': ' : ''}${name} ${String(value)}`)
    .join(', ');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
