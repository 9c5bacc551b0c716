export const exitCodesHelp = `
Examples:
  npx vigobench plan --envoys 20000 --interval 1m --html plan.html
  npx vigobench fleet --envoys 5000 --interval 5s --duration 60s --json > today.json
  npx vigobench herd --envoys 2000 --interval 15s --how kill
  npx vigobench compare before.json today.json

The report goes to standard output, everything else to standard error. docs/vigobench.md defines
each figure, docs/capacity.md is for planning.

Exit codes:
  0   the run is done and the report printed (also when deadlines were missed)
  1   the generator failed
  2   a file could not be read or written
  4   this machine does not allow that many connections
  5   the server did not do its part
  6   done and printed, but the server touched SQL on the path of a check-in
  7   compare: the second run is worse than --fail-above allows
  64  the command was not understood
  129, 130, 143  stopped by SIGHUP, Ctrl-C or SIGTERM`;
