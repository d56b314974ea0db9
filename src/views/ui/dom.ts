/** DOM ids and the addresses of jobs and profiles. */

/** Every DOM id that pages render and live updates target. */
export const dom = {
  main: "main",
  stream: "stream",
  freshness: "freshness",
  clock: "clock",
  zones: "zones",
  keys: "keys",
  searchLink: "search-link",
  palette: "palette",
  paletteList: "palette-list",
  paletteResults: "palette-results",
  announcer: "announcer",
  notices: "notices",
  trouble: "trouble",
  question: "question",
  runForm: "run-form",
  quota: "quota",
  unanswered: "unanswered",
  promises: "promises",
  activity: "activity",
  runs: "runs",
  filterState: "filter-state",
  filterWords: "filter-words",
  strip: "run-strip",
  stripHead: "strip-head",
  runList: "run-list",
  report: "report",
  reportCsv: "report-csv",
  logLines: "log-lines",
  jobDetails: "job-details",
  section: (runId: string) => `section-${runId}`,
  card: (runId: string) => `card-${runId}`,
  runHead: (runId: string) => `run-${runId}`,
  bulk: (runId: string) => `bulk-${runId}`,
  pager: (runId: string) => `pager-${runId}`,
  jobs: (runId: string) => `jobs-${runId}`,
  job: (runId: string, symbol: string) => `job-${runId}-${symbol}`,
  jobMenu: "job-menu",
  analysis: "analysis",
} as const;

/** The address of a job page. */
export const jobAddress = (runId: string, symbol: string) =>
  `/runs/${encodeURIComponent(runId)}/jobs/${encodeURIComponent(symbol)}`;

/** The address of a profile page. */
export const profileAddress = (symbol: string, interval: string) =>
  `/profiles/${encodeURIComponent(symbol)}?interval=${interval}`;
