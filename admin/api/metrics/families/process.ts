import type { Exposition } from '../exposition.ts';
import type { MetricSources } from '../metrics.ts';

/** The names that every Prometheus client library gives a process, and what the server stands on. */
export function writeProcess(
  out: Exposition,
  { status, process, certificates }: MetricSources,
): void {
  const { version, startedAtMs, nowMs } = status;
  out.family('gauge', 'vigo_build_info', 'Always 1; the version stands in the label.', [
    [{ version }, 1],
  ]);
  out.gauge(
    'process_start_time_seconds',
    'When the server started, seconds since the Unix epoch.',
    startedAtMs / 1000,
  );
  out.counter(
    'process_cpu_seconds_total',
    'CPU time of all threads, user and system.',
    status.process.cpuUs / 1e6,
  );
  out.gauge('process_resident_memory_bytes', 'Resident memory.', status.process.rssKb * 1024);
  out.gauge('process_virtual_memory_bytes', 'Virtual memory.', process.virtualBytes);
  out.gauge('process_open_fds', 'Open file descriptors; a connection is one.', process.openFiles);
  out.gauge('process_max_fds', 'File descriptors that may be open.', process.openFilesLimit);
  out.gauge('vigo_home_free_bytes', 'Free on the disk of the server home.', process.diskFreeBytes);
  out.gauge('vigo_database_size_bytes', 'Size of the SQL database.', status.databaseBytes);
  out.family(
    'gauge',
    'vigo_certificate_expiry_timestamp_seconds',
    'When a certificate of the server ends, seconds since the Unix epoch.',
    Object.entries(certificates).map(([certificate, endsMs]) => [{ certificate }, endsMs / 1000]),
  );
  out.gauge('vigo_scrape_timestamp_seconds', "The server's clock at this scrape.", nowMs / 1000);
}
