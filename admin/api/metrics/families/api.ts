import { durationBounds } from '../api-meter.ts';
import type { Exposition } from '../exposition.ts';
import type { MetricSources } from '../metrics.ts';

/** The REST API by route of its table. */
export function writeApi(out: Exposition, { meter, live }: MetricSources): void {
  out.family(
    'counter',
    'vigo_api_requests_total',
    'Requests that the REST API answered.',
    [...meter.answers()].map(({ route, method, status, count }) => [
      { route, method, status: String(status) },
      count,
    ]),
  );
  out.histogram(
    'vigo_api_request_duration_seconds',
    'Time to answer a request of the REST API.',
    durationBounds,
    [...meter.durations()].map(({ route, method, counts, sumSeconds }) => [
      { route, method },
      counts,
      sumSeconds,
    ]),
  );
  out.family(
    'counter',
    'vigo_api_refusals_total',
    'Requests that the REST API refused, by code.',
    [...meter.refusals()].map(([code, count]) => [{ code }, count]),
  );
  out.gauge('vigo_api_requests_in_flight', 'Requests being answered.', meter.inFlight);
  out.gauge('vigo_event_viewers', 'Open streams of live events.', live.viewers);
  out.family(
    'counter',
    'vigo_event_streams_ended_total',
    'Streams of live events that the server ended, by code.',
    [...live.ended].map(([code, count]) => [{ code }, count]),
  );
}
