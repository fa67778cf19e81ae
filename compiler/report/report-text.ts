/** The report as text for people: what a policy officer prints and an auditor reads. */
import type { EventReport, Report, Statement } from './report.ts';

export function reportText(report: Report): string {
  return [
    `Policy ${report.policy}, owner ${report.owner}`,
    `source ${report.sourceHash}, compiled by writ ${report.compilerVersion}`,
    section(
      'Models',
      report.models.map(
        ({ name, wireName, provider, attributes, worstCase }) =>
          `${name} ("${wireName}", ${provider}): ${attributesText(attributes)}; one answer costs at most ${worstCase}`,
      ),
    ),
    section(
      'Stores',
      report.stores.map(({ name, kind, collection }) => `${name}: ${kind} "${collection}"`),
    ),
    ...report.events.map(eventText),
    section(
      'Detectors',
      report.detectors.map(
        ({ name, source, holdMost }) =>
          `${name} (${source})${holdMost === null ? '' : `; a stream waits for at most ${holdMost} bytes of it`}`,
      ),
    ),
    ...report.endpoints
      .filter((endpoint) => endpoint.event !== 'pass')
      .map((endpoint) => {
        const places = (title: string, from: typeof endpoint.request): string[] =>
          (['scanned', 'used', 'passed', 'refused'] as const).flatMap((treatment) => {
            const paths = from.filter((place) => place.treatment === treatment).map((place) => place.path);
            return paths.length === 0 ? [] : [`${title} ${treatment}: ${paths.join(', ')}`];
          });
        return section(`${endpoint.method} ${endpoint.path} (${endpoint.event})`, [
          ...places('request', endpoint.request),
          ...places('reply', endpoint.reply),
          ...places('stream', endpoint.stream),
          'everything else: denied',
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
        ({ door, obstacles }) => `${door}: ${obstacles.length === 0 ? 'yes' : `no, ${obstacles.join('; ')}`}`,
      ),
    ),
    section(
      'Not enforced yet, therefore denied',
      report.unenforced.map(({ rule, form }) => `${rule}: \`${form}\``),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n')
    .concat('\n');
}

function eventText(event: EventReport): string {
  const title =
    event.store === null ? event.event : `${event.event} ${event.event === 'ingest' ? 'into' : 'from'} ${event.store}`;
  const notes = [
    event.default === 'allow' ? 'allowed unless a rule denies' : 'denied unless a rule allows',
    ...(event.stream === null ? [] : [`streams: ${STREAMS[event.stream] ?? event.stream}`]),
    `a decision takes at most ${event.decisionSteps} steps`,
  ];
  return `${section(`On ${title}`, notes)}\n${event.statements.map(statementText).join('\n')}`;
}

const STREAMS: { readonly [kind: string]: string } = {
  early: 'early: cut as soon as a rule denies',
  causal: 'causal: redacted as they pass',
  buffered: 'buffered: held whole, then sent at once',
};

function statementText(statement: Statement): string {
  const title = statement.title === null ? '' : ` "${statement.title}"`;
  const cites = statement.cites.length === 0 ? '' : ` [${statement.cites.join(', ')}]`;
  return [
    `  ${statement.name}${title}${cites}`,
    `    when ${statement.when}`,
    ...statement.does.map((what) => `    ${what}`),
  ].join('\n');
}

function attributesText(attributes: { readonly [name: string]: unknown }): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
