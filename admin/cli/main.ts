/** The entry of vigocli. Nothing but the cache is loaded before the cache is in use. */
import { useCompileCache } from './compile-cache.ts';

useCompileCache(process.env);
/** What completion scripts call; no command for people. */
if (process.argv[2] === '__complete') {
  const { complete } = await import('./complete.ts');
  await complete(process.argv.slice(3));
} else {
  const { runCli } = await import('./run.ts');
  await runCli(process.argv);
}
