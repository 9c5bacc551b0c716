/** The part that perf/ uses (https://github.com/mcollina/autocannon#api). */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    readonly connections: number;
    readonly amount: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly tlsOptions: { readonly ca: string };
    /** Seconds. */
    readonly timeout: number;
  }

  interface Result {
    readonly non2xx: number;
    readonly errors: number;
    /** Milliseconds. */
    readonly latency: { readonly average: number; readonly p50: number; readonly p99: number };
  }

  export default function autocannon(options: Options): Promise<Result>;
}
