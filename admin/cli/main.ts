/** The entry of vigocli. Nothing but the cache is loaded before the cache is in use. */
import { useCompileCache } from './compile-cache.ts';

useCompileCache(process.env);
const { runCli } = await import('./run.ts');
await runCli(process.argv);
