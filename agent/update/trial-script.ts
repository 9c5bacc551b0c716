import { programName, trialName } from './program-files.ts';

/** Starts of the machine or of the service during one trial. */
export const trialStartLimit = 5;
/** Ends of the new version during one start. */
export const trialEndLimit = 3;
/** From TERM to KILL for a version that is given up. */
const killGraceSeconds = 10;

/** Files in the directory of a trial. Each is made by one rename, and then counts. */
export const trialFiles = {
  /** `old new`: between which versions the trial is. */
  versions: `${trialName}/versions`,
  /** The new version has proved itself. */
  accepted: `${trialName}/accepted`,
  /** Why the old one is back: a word of `TrialCause`, then details. */
  cause: `${trialName}/cause`,
} as const;

/** What the script gives a version back for. */
export type TrialCause = 'no-start' | 'ended' | 'no-check-in' | 'interrupted';

export interface Trial {
  /** Absolute. */
  readonly directory: string;
  readonly from: string;
  readonly to: string;
  readonly seconds: number;
}

/**
 * The program that stands in for both versions during a trial. The old version writes it, which works, and
 * it depends on nothing of the new one: the old one comes back when the new one cannot start, ends, or
 * says nothing in time, and also when what must be written down cannot be. POSIX shell, so that every
 * init system of docs/install.md starts it like any version.
 *
 * It decides once, by one rename: a power loss between any two steps leaves a trial that goes on, or
 * one that is over. Time is counted in seconds slept, so that neither a clock that is set nor a machine
 * that is suspended ends a trial.
 */
export function trialScript({ directory, from, to, seconds }: Trial): string {
  const base = quote(directory);
  return `#!/bin/sh
# Written by vigo ${from} for the trial of ${to}; removed after it.
old=${base}/${from}/${programName}
new=${base}/${to}/${programName}
trial=${base}/${trialName}

daemon=
for word in "$@"; do [ "$word" != daemon ] || daemon=1; done
over() { [ -e "$trial/accepted" ] || [ ! -e "$trial/versions" ]; }
if [ -e "$trial/cause" ]; then exec "$old" "$@"; fi
if [ -z "$daemon" ] || over; then exec "$new" "$@"; fi

child=
stop() {
  trap '' TERM INT HUP
  if [ -n "$child" ]; then kill -TERM "$child" 2>/dev/null; wait "$child"; fi
  exit 0
}
trap stop TERM INT HUP

give_up() {
  kill -TERM "$child" 2>/dev/null
  patience=${killGraceSeconds}
  while [ "$patience" -gt 0 ] && kill -0 "$child" 2>/dev/null; do
    sleep 1
    patience=$((patience - 1))
  done
  kill -KILL "$child" 2>/dev/null
  wait "$child"
}

cause=
if printf . >> "$trial/starts" && sync; then
  starts=$(cat "$trial/starts")
  [ "\${#starts}" -le ${trialStartLimit} ] || cause="interrupted \${#starts} starts"
else
  cause='interrupted its start could not be written down'
fi

ends=0
waited=0
while [ -z "$cause" ]; do
  "$new" "$@" &
  child=$!
  while [ -z "$cause" ] && kill -0 "$child" 2>/dev/null; do
    if over; then wait "$child"; exit; fi
    if [ "$waited" -ge ${seconds} ]; then
      cause='no-check-in ${seconds} seconds'
    else
      sleep 1
      waited=$((waited + 1))
    fi
  done
  if [ -n "$cause" ]; then give_up; break; fi
  wait "$child"
  code=$?
  child=
  if over; then exit "$code"; fi
  ends=$((ends + 1))
  case $code in
    126 | 127) cause="no-start exit code $code" ;;
    *) if [ "$ends" -ge ${trialEndLimit} ]; then cause="ended exit code $code"; else sleep 1; fi ;;
  esac
  waited=$((waited + 1))
done

trap - TERM INT HUP
if over; then exec "$new" "$@"; fi
echo "vigo: the trial of ${to} is over ($cause), back to ${from}" >&2
printf '%s\\n' "$cause" > "$trial/cause.new" && sync && mv -f "$trial/cause.new" "$trial/cause" && sync
exec "$old" "$@"
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
