import { Type } from 'typebox';

/** How often one may ask the API; docs/api.md. */
export interface ApiSettings {
  /** Of one person or token. */
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  readonly writesPerSecond: number;
  readonly writesBurst: number;
  /** Of one address, whoever asks. */
  readonly addressRequestsPerSecond: number;
  readonly addressBurst: number;
  /** Of wrong credentials, by address. */
  readonly refusalsPerMinute: number;
  readonly refusalsBurst: number;
}

const ratesMax = 100_000;
const burstsMax = 1_000_000;

const whole = (description: string, value: number, maximum: number) =>
  Type.Integer({
    description,
    default: value,
    minimum: 1,
    maximum,
    expected: `a whole number from 1 to ${maximum}`,
  });

/** The section `api` of server.yaml. */
export const apiSection = Type.Object(
  {
    requests_per_second: whole('Requests of one person or token, in the long run.', 50, ratesMax),
    requests_burst: whole(
      'Requests of one person or token at once, after a pause.',
      500,
      burstsMax,
    ),
    writes_per_second: whole('Of these, requests that change something.', 10, ratesMax),
    writes_burst: whole('The same at once, after a pause.', 100, burstsMax),
    address_requests_per_second: whole(
      'Requests from one address, whoever asks: many people may stand behind one.',
      200,
      ratesMax,
    ),
    address_burst: whole('The same at once, after a pause.', 2000, burstsMax),
    refusals_per_minute: whole('Wrong credentials from one address.', 30, ratesMax),
    refusals_burst: whole('The same at once, after a pause.', 30, burstsMax),
  },
  {
    additionalProperties: false,
    description:
      'How often one may ask the API and the pages; more is refused with API_RATE_LIMITED.\n' +
      "The local administrator's token and this machine's own address have no limit.",
  },
);

export function apiFromRaw(raw: Type.Static<typeof apiSection>): ApiSettings {
  return {
    requestsPerSecond: raw.requests_per_second,
    requestsBurst: raw.requests_burst,
    writesPerSecond: raw.writes_per_second,
    writesBurst: raw.writes_burst,
    addressRequestsPerSecond: raw.address_requests_per_second,
    addressBurst: raw.address_burst,
    refusalsPerMinute: raw.refusals_per_minute,
    refusalsBurst: raw.refusals_burst,
  };
}
