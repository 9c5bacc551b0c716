import { Type } from 'typebox';
import { durationExamples, parseDuration } from './duration.ts';
import { homePath } from './home-path.ts';

/** Where traces go. Paths are absolute; '' = not given. */
export interface TracingSettings {
  /** '' = no traces are made at all. */
  readonly endpoint: string;
  readonly headersFile: string;
  readonly caFile: string;
  readonly serviceName: string;
  /** One of so many check-ins, with the reports of the same pass. 0 = none. */
  readonly checkInsOneIn: number;
  readonly timeoutMs: number;
}

/** No query and no user in it: what is secret belongs into headers_file. */
const endpointForm = '^$|^https?://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:\\d{1,5})?(/[^\\s?#]*)?$';

/** The section `tracing` of server.yaml. */
export const tracingSection = Type.Object(
  {
    endpoint: Type.String({
      description:
        'The OpenTelemetry collector, OTLP over HTTP: http://127.0.0.1:4318. /v1/traces is added when no\n' +
        'path is given. Empty: no traces.',
      default: '',
      maxLength: 1000,
      pattern: endpointForm,
      expected: 'http://host:port or https://host:port, such as http://127.0.0.1:4318',
    }),
    headers_file: Type.String({
      description:
        'File with headers for the collector, "name: value" on each line, mode 0600; read at the start.',
      default: '',
      maxLength: 4096,
      expected: 'a path',
    }),
    ca_file: Type.String({
      description:
        'PEM file of the authority of its certificate. Empty: the authorities that Node trusts.',
      default: '',
      maxLength: 4096,
      expected: 'a path',
    }),
    service_name: Type.String({
      description: 'service.name of every span.',
      default: 'vigosrv',
      maxLength: 200,
      pattern: '^\\S(.*\\S)?$',
      expected: 'a name',
    }),
    check_ins_one_in: Type.Integer({
      description:
        'One of so many check-ins is exported, with the reports of the same pass; what people do is exported\n' +
        'whole. 0: no check-ins.',
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      expected: 'a whole number from 0 to 1000000',
    }),
    timeout: Type.String({
      description: 'How long one batch may take, with its repetitions.',
      default: '10s',
      duration: true,
      leastMs: 100,
      expected: `${durationExamples}, at least 100ms`,
    }),
  },
  { additionalProperties: false, description: 'OpenTelemetry traces; docs/tracing.md.' },
);

export function tracingFromRaw(
  raw: Type.Static<typeof tracingSection>,
  home: string,
): TracingSettings {
  const path = (file: string) => homePath(home, file);
  return {
    endpoint: raw.endpoint,
    headersFile: path(raw.headers_file),
    caFile: path(raw.ca_file),
    serviceName: raw.service_name,
    checkInsOneIn: raw.check_ins_one_in,
    timeoutMs: parseDuration(raw.timeout) ?? 0,
  };
}

/** Rules that JSON Schema cannot say; by the path of the key. */
export const tracingValueChecks: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ['tracing.endpoint', (value: string) => value === '' || URL.canParse(value)],
]);
