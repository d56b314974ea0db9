/** Every metric of `GET /metrics`, in the order in which it is written. docs/metrics.md is made from this list. */

export interface Declaration {
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence without a full stop. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of the buckets of a histogram, ascending, without the last one (+Inf). */
  readonly buckets?: readonly number[];
}

/** Seconds: from a near cache to the time limit of a request. */
const REQUEST_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const counter = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ type: "counter", help, labels }) as const;
const gauge = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ type: "gauge", help, labels }) as const;
const histogram = <const L extends readonly string[]>(help: string, labels: L, buckets: readonly number[]) =>
  ({ type: "histogram", help, labels, buckets }) as const;

export const METRICS = {
  barkeep_build_info: gauge("Always 1; the labels say what is running", ["version", "commit", "bun"]),

  barkeep_jobs_finished_total: counter("Jobs (one symbol of a run) that ended since the server started, by outcome", [
    "provider",
    "outcome",
  ]),
  barkeep_jobs_open: gauge("Jobs of unfinished runs, by state", ["state"]),
  barkeep_queue_oldest_seconds: gauge("Seconds that the longest waiting job has been queued; 0 if none is queued", []),
  barkeep_bars_stored_total: counter("Bars added to stored series since the server started", ["provider"]),

  barkeep_provider_requests_total: counter(
    "Requests sent to a provider: the HTTP status of the answer, or `timeout`, `no_connection`, `stopped`, `ok`",
    ["provider", "code"],
  ),
  barkeep_provider_retries_total: counter("Requests sent again after one that failed", ["provider"]),
  barkeep_provider_request_duration_seconds: histogram(
    "From sending a request to the end of its answer, or to its failure",
    ["provider"],
    REQUEST_SECONDS,
  ),
  barkeep_quota_used: gauge("Used part of a provider's limit, for providers in use", ["provider", "period", "counts"]),
  barkeep_quota_limit: gauge("A provider's limit, for providers in use", ["provider", "period", "counts"]),

  barkeep_schedule_enabled: gauge("1 while a schedule is enabled, 0 while it is paused", ["schedule"]),
  barkeep_schedule_last_success_age_seconds: gauge(
    "Seconds since the last run of a schedule ended with every symbol complete; absent if none has yet",
    ["schedule"],
  ),
  barkeep_freshness_symbols: gauge(
    "Symbols of a promise that have what its next deadline needs, lack it, or of which neither can be proved",
    ["promise", "state"],
  ),
  barkeep_freshness_deadline_timestamp_seconds: gauge("When the next deadline of a promise is, seconds since 1970", [
    "promise",
  ]),
  barkeep_freshness_forecast: gauge("1 for what is to be expected of the next deadline of a promise, 0 for all else", [
    "promise",
    "forecast",
  ]),
  barkeep_freshness_results_total: counter("Deadlines of a promise that have passed, by what came of them", [
    "promise",
    "outcome",
  ]),

  barkeep_series: gauge("Stored series with a profile by health, read again at most once a minute", ["health"]),
  barkeep_profiles: gauge("Stored profiles", []),

  barkeep_outbox_messages: gauge("Alert messages by state: waiting, being sent, or failed for good", ["state"]),
  barkeep_alert_events_pending: gauge("Alert events that are not part of a message yet", []),

  barkeep_database_size_bytes: gauge("Size of the database file and its write-ahead log; absent for a remote one", []),
  barkeep_backup_age_seconds: gauge(
    "Seconds since the last good backup by the server was begun; absent if there was none, and for a remote database",
    [],
  ),
  barkeep_lake_size_bytes: gauge(
    "Size of the files of the lake after it was last written; absent without a lake, and until the first attempt since the start has succeeded",
    [],
  ),
  barkeep_lake_pending_years: gauge(
    "Years of bars whose present state is not in the lake yet, and one for changed splits and dividends; absent without a lake",
    [],
  ),
  barkeep_lake_failed: gauge("Whether the last attempt to write the lake failed; absent without a lake", []),
  barkeep_disk_free_bytes: gauge("Free space where the database file is; absent for a remote one", []),

  barkeep_workers: gauge("Worker threads that are configured", []),
  barkeep_workers_wanted: gauge("Worker threads that jobs have asked for and that are still needed", []),
  barkeep_workers_alive: gauge("Worker threads that are running; they end after five minutes without a job", []),
  barkeep_queue_up: gauge("Whether the job queue can be reached: 1 or 0; without BARKEEP_QUEUE always 1", []),
  barkeep_hosts: gauge("Machines that do jobs by their state, the server itself included", ["status"]),
  barkeep_host_jobs: gauge("Jobs at work on a machine", ["host"]),
  barkeep_host_jobs_taken: gauge("Jobs whose keys a machine has taken from the job queue itself since it came", [
    "host",
  ]),
  barkeep_host_queue_up: gauge(
    "Whether a machine that takes jobs from the job queue reaches that of the server: 1 or 0",
    ["host"],
  ),
  barkeep_host_bars_per_second: gauge("Bars that a machine has stored in a second, over the last minute", ["host"]),
  barkeep_viewers: gauge("Open live connections of pages", []),
  barkeep_viewers_dropped_total: counter("Live connections closed because they accepted nothing", []),
  barkeep_frames_merged_total: counter("Live updates merged because a connection was slow", []),
  barkeep_events_total: counter("Progress, log and run events since the server started", []),

  process_resident_memory_bytes: gauge("Resident memory of the process", []),
  process_cpu_seconds_total: counter("Processor time of the process, of all its threads", []),
  process_open_fds: gauge("Open file descriptors; absent where the system does not report them", []),
  process_start_time_seconds: gauge("When the process started, seconds since 1970", []),
} as const satisfies Readonly<Record<string, Declaration>>;

export type MetricName = keyof typeof METRICS;

/** The labels of a metric with their values. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof METRICS)[Name]["labels"][number], string>>;

/** The metrics of a type. */
export type NameOf<Type extends Declaration["type"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["type"] extends Type ? Name : never;
}[MetricName];
