import type {
  FileChange,
  GroupChange,
  ResourceChange,
  StackComparison,
} from '../../../../actors/publish/comparison.ts';
import { diffView } from '../../components/diff-view.ts';
import { shortHash } from '../../components/hash.ts';
import { plural } from '../../components/numbers.ts';
import { badge, type StateTone } from '../../components/state-badge.ts';
import { type Html, html } from '../../html.ts';

/** With more differences than this, each opens on its own. */
const openMost = 4;

const looks = {
  added: ['good', 'disc'],
  changed: ['notice', 'half'],
  removed: ['warning', 'diamond'],
} as const satisfies Record<FileChange['change'], readonly [StateTone, string]>;

/** What differs between two stacks: what envoys would get, then the files. */
export function comparisonView({ from, to, files, groups, truncated }: StackComparison): Html {
  const head = html`<p class="muted">From ${from.name} ${shortHash(from.contentHash)} to ${to.name}
    ${shortHash(to.contentHash)}${truncated && html`. A limit cut what is shown: vigocli config diff`}</p>`;
  if (files.length === 0 && groups.length === 0) {
    return html`<section class="panel"><h2>No differences</h2>${head}</section>`;
  }
  return html`${head}
    <section class="panel" aria-labelledby="changed-envoys">
      <div class="panel-head"><h2 id="changed-envoys">What envoys get</h2>
        <span class="muted small">${plural(sumOf(groups), 'envoy')} in ${plural(groups.length, 'group')}</span></div>
      ${groups.length === 0 ? html`<p class="muted">No envoy gets other policy by this.</p>` : groups.map(groupView)}
    </section>
    <section class="panel" aria-labelledby="changed-files">
      <div class="panel-head"><h2 id="changed-files">Files</h2>
        <span class="muted small">${fileCounts(files)}</span></div>
      ${files.length === 0 && html`<p class="muted">The files are the same.</p>`}
      ${files.map((file) => fileView(file, files.length <= openMost))}
    </section>`;
}

const sumOf = (groups: readonly GroupChange[]) =>
  groups.reduce((sum, { envoys }) => sum + envoys, 0);

function fileCounts(files: readonly FileChange[]): string {
  return (['added', 'changed', 'removed'] as const)
    .map((change) => [files.filter((file) => file.change === change).length, change] as const)
    .filter(([count]) => count > 0)
    .map(([count, change]) => `${count} ${change}`)
    .join(', ');
}

function fileView({ path, change, diff }: FileChange, open: boolean): Html {
  return html`<details class="change"${open && html` open`}>
    <summary>${changeBadge(change)} <span class="mono">${path}</span></summary>
    ${diffView(diff, `Differences of ${path}`)}
  </details>`;
}

function changeBadge(change: FileChange['change']): Html {
  const [tone, shape] = looks[change];
  return badge(change, tone, shape);
}

function groupView({ match, envoys, hostnames, resources }: GroupChange): Html {
  const names = match.length === 0 ? 'no entry any more' : match.join(', ');
  const more = envoys - hostnames.length;
  return html`<details class="change" open>
    <summary><strong>${names}</strong> <span class="muted">${plural(envoys, 'envoy')}</span></summary>
    ${
      hostnames.length > 0 &&
      html`<p class="muted small">${hostnames.join(', ')}${more > 0 && ` and ${more} more`}</p>`
    }
    ${resources.map((resource) => resourceView(resource, resources.length <= openMost))}
  </details>`;
}

function resourceView({ id, type, change, diff }: ResourceChange, open: boolean): Html {
  return html`<details class="change"${open && html` open`}>
    <summary>${changeBadge(change)} <span class="mono">${id}</span> <span class="tag">${type}</span></summary>
    ${diffView(diff, `Differences of ${id}`)}
  </details>`;
}
