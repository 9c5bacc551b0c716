import type { Command } from 'commander';
import { VerbCommand } from './verb-command.ts';

/** Examples of verbs whose own file names none, by path below the program. */
const lines: Readonly<Record<string, readonly string[]>> = {
  status: [
    'vigocli status',
    'vigocli status --watch',
    'vigocli --home ./demo/server status --json',
  ],
  'tokens create': [
    'vigocli tokens create --match "web-*"',
    'vigocli tokens create --match "web-*" db-1 --expires 2h',
  ],
  'tokens list': ['vigocli tokens list', 'vigocli tokens list --plain'],
  'tokens revoke': ['vigocli tokens revoke c0f8681a8f027e67'],
  'envoys list': [
    'vigocli envoys list',
    'vigocli envoys list "web-*,os.family=debian" --state failed',
    'vigocli envoys list --sort state --columns host,state,since,os',
    'vigocli envoys list --all --json | jq -r .hostname',
  ],
  'envoys show': ['vigocli envoys show web-1', 'vigocli envoys show web-1 --watch'],
  'envoys history': ['vigocli envoys history web-1'],
  'envoys traits': ['vigocli envoys traits web-1', 'vigocli envoys traits web-1 os.family'],
  'envoys resources': ['vigocli envoys resources web-1'],
  'envoys maintenance on': ['vigocli envoys maintenance on web-1 --reason "new disk"'],
  'envoys maintenance off': ['vigocli envoys maintenance off web-1'],
  'envoys views list': ['vigocli envoys views list'],
  'envoys views save': [
    'vigocli envoys views save trouble "web-*" --state failed',
    'vigocli envoys views save oldest --sort seen',
  ],
  'envoys views remove': ['vigocli envoys views remove trouble'],
  'envoys revoke': ['vigocli envoys revoke web-1 --reason "stolen" --confirm web-1'],
  'config unfreeze': ['vigocli config unfreeze -m "the incident is over"'],
  'config candidates': ['vigocli config candidates'],
  'config status': ['vigocli config status', 'vigocli config status --watch'],
  'config rollout status': ['vigocli config rollout status --wait'],
  'config rollout pause': ['vigocli config rollout pause -m "look at db-3 first"'],
  'config rollout resume': ['vigocli config rollout resume -m "it was the switch"'],
  'config rollout abort': ['vigocli config rollout abort -m "logins fail"'],
  'config rollout finish': ['vigocli config rollout finish -m "the fix must reach all now"'],
  'config schema': ['vigocli config schema module', 'vigocli config schema --write .vscode'],
  'secrets init': ['vigocli secrets init'],
  'secrets rekey': ['vigocli secrets rekey'],
  'secrets set': ['vigocli secrets set db/password', 'vigocli secrets set tls/key --file key.pem'],
  'secrets rotate': ['vigocli secrets rotate db/password --bytes 24'],
  'secrets refresh': ['vigocli secrets refresh db/password'],
  'secrets list': ['vigocli secrets list'],
  'secrets reveal': ['vigocli secrets reveal db/password'],
  'releases key': ['vigocli releases key release.pem'],
  'releases list': ['vigocli releases list'],
  'releases show': ['vigocli releases show 0.2.0'],
  'releases remove': ['vigocli releases remove 0.2.0 --platform linux-arm64'],
  'releases promote': ['vigocli releases promote 0.2.0 -m "ten nodes run it since Monday"'],
  'releases pause': ['vigocli releases pause -m "wait for the weekend to end"'],
  'releases resume': ['vigocli releases resume -m "it was the proxy"'],
  'releases stop': ['vigocli releases stop -m "0.2.1 is out"'],
  'releases return': ['vigocli releases return 0.2.0 --to 0.1.2 -m "leaks memory"'],
  'releases status': ['vigocli releases status', 'vigocli releases status --watch'],
  'runs list': ['vigocli runs list', 'vigocli runs list --envoy web-1 --state failed'],
  'runs show': ['vigocli runs show', 'vigocli runs show 3f2a9c01 --all'],
  'audit list': ['vigocli audit list', 'vigocli audit list --type policy.published --limit 5'],
  'audit export': ['vigocli audit export > audit.jsonl'],
  'audit acknowledge-restore': [
    'vigocli audit acknowledge-restore --through 1200 --reason "disk died, backup of Monday"',
  ],
  'audit show': ['vigocli audit show 42'],
  'audit prove': ['vigocli audit prove 42 > proof.json'],
  'audit checkpoint': ['vigocli audit checkpoint'],
  'audit forget': ['vigocli audit forget'],
  'audit verify': ['vigocli audit verify', 'vigocli audit verify --file audit.jsonl'],
  'auth create-token': ['vigocli auth create-token --name ci --role operator --expires 30d'],
  'auth list-tokens': ['vigocli auth list-tokens'],
  'auth revoke-token': ['vigocli auth revoke-token ci'],
  'auth whoami': ['vigocli auth whoami'],
  'auth change-password': ['vigocli auth change-password'],
  'auth list-keys': ['vigocli auth list-keys'],
  'users list': ['vigocli users list'],
  'users show': ['vigocli users show grace'],
  'users disable': ['vigocli users disable grace'],
  'users enable': ['vigocli users enable grace'],
  'users delete': ['vigocli users delete grace --confirm grace'],
  'users reset-totp': ['vigocli users reset-totp grace'],
  'users end-sessions': ['vigocli users end-sessions grace'],
  'context list': ['vigocli context list'],
  'context use': ['vigocli context use prod'],
  'context remove': ['vigocli context remove lab'],
  'context show': ['vigocli context show prod'],
  completion: [
    'vigocli completion bash > ~/.local/share/bash-completion/completions/vigocli',
    'vigocli completion zsh > ~/.zfunc/_vigocli',
    'vigocli completion fish > ~/.config/fish/completions/vigocli.fish',
  ],
};

/** What changes while somebody looks at it. */
const watchable: ReadonlySet<string> = new Set([
  'status',
  'tokens list',
  'envoys list',
  'envoys show',
  'config status',
  'config candidates',
  'config rollout status',
  'releases status',
  'runs list',
  'runs show',
  'audit list',
  'backup list',
  'doctor',
]);

/** Completes every verb of the tree: examples where none are, and `--watch`. */
export function completeVerbs(command: Command, path = ''): void {
  if (command instanceof VerbCommand) {
    if (command.examples.length === 0) command.examples = lines[path] ?? [];
    if (watchable.has(path)) {
      command.isWatchable = true;
      command
        .option('--watch', 'show it again whenever something happens, until Ctrl-C')
        .option('--every <duration>', 'with --watch: look at least so often (5s)');
    }
  }
  for (const child of command.commands) completeVerbs(child, `${path} ${child.name()}`.trim());
}
