import type { AgentRelease } from './source.ts';

export interface ScriptFacts {
  /** "https://host:port", as the asker reached us. */
  readonly base: string;
  /** "host:port" of the agents' endpoint. */
  readonly server: string;
  readonly pin: string;
  readonly releases: readonly AgentRelease[];
}

/**
 * The script of `curl ... | sudo sh`: POSIX sh and the tools that every Linux has. It fetches and
 * checks the program; the program installs itself. Nothing runs before its last line has arrived.
 */
export function bootstrapScript({ base, server, pin, releases }: ScriptFacts): string {
  const table = releases
    .map(({ platform, version, bytes, sha256, forms }) =>
      [platform, version, bytes, sha256, forms.join(',')].join(' '),
    )
    .join('\n');
  return `#!/bin/sh
# Puts the Vigo agent on this machine and enrolls it; run again, it repairs what is missing.
# usage: curl ... ${base}/bootstrap | sudo sh -s -- --token TOKEN [options of vigo install]
set -eu
umask 022
LC_ALL=C
export LC_ALL

base='${base}'
server='${server}'
pin='${pin}'
# platform, version, bytes, SHA-256 of the program, compressed forms
releases='${table}'
${body}`;
}

const body = String.raw`
say() { printf 'vigo: %s\n' "$*"; }
fail() {
	code=$1
	shift
	printf 'vigo: %s\n' "$*" >&2
	exit "$code"
}
have() { command -v "$1" >/dev/null 2>&1; }

work=
clean() { [ -z "$work" ] || rm -rf "$work"; }
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

find_platform() {
	[ "$(uname -s)" = Linux ] || fail 4 "there is no agent for $(uname -s) yet; nothing was changed."
	case $(uname -m) in
	x86_64 | amd64) platform=linux-x64 ;;
	aarch64 | arm64) platform=linux-arm64 ;;
	*) fail 4 "there is no agent for $(uname -m) processors; nothing was changed." ;;
	esac
}

find_release() {
	while read -r name version bytes sha256 forms; do
		[ "$name" != "$platform" ] || return 0
	done <<-END
		$releases
	END
	fail 1 "this server has no program for $platform in its home's agents directory;" \
		"nothing was changed. Its administrator makes one: npm run build:agent"
}

sha256_of() {
	if have sha256sum; then sum=$(sha256sum "$1"); elif have shasum; then sum=$(shasum -a 256 "$1")
	elif have openssl; then sum=$(openssl dgst -sha256 -r "$1")
	else fail 1 "sha256sum is needed to check the program; nothing was changed."; fi
	sum=\${sum%% *}
}

find_tools() {
	if have curl; then fetch=fetch_curl
	elif have wget && wget --help 2>&1 | grep -q pinnedpubkey; then fetch=fetch_wget
	else fail 1 "curl, or GNU wget, is needed to fetch the program; nothing was changed."; fi
	if have xz && [ "$forms" != gz ]; then form=xz unpack='xz -dc'
	elif have gzip; then form=gz unpack='gzip -dc'
	else fail 1 "gzip is needed to unpack the program; nothing was changed."; fi
}
# The server proves itself by its key; no authority that this machine knows need vouch for it.
fetch_curl() { curl -fsSk --proto =https --pinnedpubkey "$pin" --max-time 900 "$1"; }
fetch_wget() { wget -qO- --no-check-certificate --pinnedpubkey="$pin" --timeout=60 "$1"; }

find_space() {
	set -- $(df -Pk "$1" | tail -n 1)
	# The program twice while it is put at its place, and a little for everything else.
	needed=$((bytes / 1024 * 2 + 10240))
	[ "$4" -ge "$needed" ] || fail 1 "$((needed / 1024)) MB are needed below /usr/local/lib and" \
		"$(($4 / 1024)) MB are free; nothing was changed."
}

# What a killed run left behind.
sweep() {
	for left in "$1"/.vigo-install.*; do
		[ -d "$left" ] || continue
		kill -0 "\${left##*.}" 2>/dev/null || rm -rf "$left"
	done
}

download() {
	parent=/usr/local/lib
	mkdir -p "$parent"
	sweep "$parent"
	find_space "$parent"
	work=$parent/.vigo-install.$$
	mkdir -m 700 "$work"
	say "fetching vigo $version for $platform from $base"
	{ "$fetch" "$base/agent/vigo-$version-$platform.$form" || : >"$work/failed"; } |
		$unpack >"$work/vigo" 2>"$work/complaint" || : >"$work/broken"
	[ ! -e "$work/failed" ] || fail 5 "the program could not be fetched; nothing was changed."
	if [ -e "$work/broken" ] && grep -qi 'no space' "$work/complaint"; then
		fail 1 "the disk became full while the program was fetched; nothing was changed."
	fi
	sha256_of "$work/vigo"
	[ "$sum" = "$sha256" ] || fail 4 "what arrived is not the program that the server described" \
		"(SHA-256 $sum, expected $sha256); nothing was changed."
	say "its SHA-256 is as the server says: $sha256"
	chmod 755 "$work/vigo"
	program=$work/vigo
}

# It may need a C library that this system does not have.
try() {
	answer=$("$program" version 2>&1) || answer="$answer (exit code $?)"
	[ "$answer" = "$version" ] || fail 4 "the program does not run on this system: $answer." \
		"It needs glibc 2.28 and libstdc++; nothing was changed."
}

main() {
	[ "$(id -u)" = 0 ] || fail 4 "only root can install the agent: put sudo before sh, as in" \
		"curl ... | sudo sh -s -- --token ...; nothing was changed."
	find_platform
	find_release
	find_tools
	program=/usr/local/lib/vigo/$version/vigo
	sum=
	[ ! -f "$program" ] || sha256_of "$program"
	[ "$sum" = "$sha256" ] || download
	try
	status=0
	"$program" install --server "$server" "$@" || status=$?
	exit "$status"
}

main "$@"
`.replaceAll('\\${', '${');
