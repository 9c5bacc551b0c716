import picomatch from 'picomatch';

/** Whether a host name fits one of the globs; case does not matter. The same rule as for a stack's entries. */
export function hostnameMatcher(globs: readonly string[]): (hostname: string) => boolean {
  const matches = picomatch(
    globs.map((glob) => glob.toLowerCase()),
    { dot: true, nonegate: true, noextglob: true },
  );
  return (hostname) => matches(hostname.toLowerCase());
}
