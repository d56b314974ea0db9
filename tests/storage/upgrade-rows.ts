/**
 * Rows for every migration, and what each migration does with the rows that are there already.
 * A new migration needs an entry: rows that use its tables and columns, and how earlier rows look afterwards.
 */

import { FIRST, type Migration, type Row } from "../helpers/upgrade/first-rows.ts";

/** The provider `csv` under its present name. */
const renamed = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, /provider$/.test(name) && value === "csv" ? "files" : value]),
  );

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  ...FIRST,
  "0006_revisions": {
    rows: [
      `INSERT INTO bar_revisions (series_id, ts, seen_at, run_id, kind, open, high, low, close, volume) VALUES
        (1, 1759276800, 150, 'r-full', 'correction', 100, 101, 99, 100, 1400000),
        (1, 1759363200, 150, 'r-full', 'correction', 100, 101, 99, 100, 1400000),
        (1, 1759276800, 160, 'r-full', 'split', 200, 202, 198, 200, 700000)`,
      `INSERT INTO bar_sources (series_id, ts, provider, run_id) VALUES
        (1, 1759363200, 'tiingo', 'r-full')`,
      `INSERT INTO corporate_actions (provider, symbol, kind, date, value, seen_at) VALUES
        ('demo', 'AAPL', 'split', 1759276800, 4, 140), ('demo', 'AAPL', 'dividend', 1759363200, 0.26, 140)`,
      `INSERT INTO gaps (series_id, date, kind, rows, answers, run_id) VALUES
        (1, 1759190400, 'missing', 0, 3, 'r-repair'), (1, 1759104000, 'sparse', 7, 0, NULL)`,
      `INSERT INTO runs (id, mode, interval, provider, years, batch_days, max_workers, range_from, range_to, as_of,
        state, created_at, rebuild, repair_provider) VALUES
        ('r-rebuild', 'full', '5m', 'alpaca', '2', 30, 1, 0, 1759363200, 1759363200, 'running', 900, 1, NULL),
        ('r-other', 'repair', '15m', 'alpaca', '2', 30, 1, 0, 1759363200, 1759363200, 'running', 901, 0, 'tiingo')`,
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, staging_for, staging_run,
        changed_from, actions_run) VALUES
        (6, 'MSFT', 'alpaca', 'iex', '5m', 'splits', 'regular', 3, 'r-rebuild', NULL, NULL),
        (7, 'TSLA', 'demo', 'synthetic', '1d', 'none', 'regular', 0, NULL, 1759276800, 'r-full')`,
    ],
    changes: {
      series: (row) => ({ ...row, staging_for: 0, staging_run: null, changed_from: null, actions_run: null }),
      runs: (row) => ({ ...row, rebuild: 0, repair_provider: null }),
    },
  },
  "0007_schedules": {
    rows: [
      `INSERT INTO schedules (id, name, cron, time_zone, scope, symbols, watchlist_id, interval, provider, mode, years,
        enabled, on_missed, checked_at) VALUES
        (2, 'Tech every hour', '0 * * * *', 'UTC', 'watchlist', '[]', 3, '1h', NULL, 'incremental', 'all', 1,
         'skip', 50),
        (3, 'Two', '30 6 * * 1-5', 'Europe/Paris', 'symbols', '["AAPL","KO"]', NULL, '1d', 'demo', 'full', '2', 0,
         'catch_up', 60)`,
      `INSERT INTO schedule_turns (id, schedule_id, due_at, at, cause, outcome, note, run_id) VALUES
        (1, 2, 100, 101, 'due', 'started', '', 'r-full'), (2, 2, 90, 102, 'catch_up', 'missed', 'No server', NULL),
        (3, 3, 103, 103, 'by_hand', 'refused', 'AAPL is busy', NULL)`,
    ],
    inserts: {
      schedules: [
        {
          id: 1,
          name: "After the US close",
          cron: "30 18 * * 1-5",
          time_zone: "America/New_York",
          scope: "stored",
          symbols: "[]",
          watchlist_id: null,
          interval: "1d",
          provider: null,
          mode: "incremental",
          years: "2",
          enabled: 0,
          on_missed: "catch_up",
          checked_at: 0,
        },
      ],
    },
  },
  "0008_health": {
    rows: [
      `INSERT INTO jobs (id, run_id, symbol, interval, state, progress, gaps, finished_at) VALUES
        (8, 'r-full', 'KO', '1d', 'complete', 100, 2, 195)`,
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, revised_at, suspect_at) VALUES
        (8, 'KO', 'demo', 'synthetic', '1d', 'none', 'regular', 150, 160)`,
    ],
    changes: {
      jobs: (row) => ({ ...row, gaps: null }),
      series: (row) => ({ ...row, revised_at: null, suspect_at: null }),
    },
  },
  "0009_staging": {
    rows: [
      // A rebuilt series: the ids of the bars were swapped, and the old bars are not yet archived.
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, staging_for, staging_run,
        bars_id, retired_kind, retired_at) VALUES
        (9, 'EL', 'demo', 'synthetic', '1d', 'none', 'regular', 0, NULL, 10, NULL, NULL),
        (10, 'EL', 'demo', 'synthetic', '1d', 'none', 'regular', 9, 'r-rebuild', 9, 'rebuild', 905)`,
      `INSERT INTO bars (series_id, ts, open, high, low, close, volume) VALUES
        (9, 1759276800, 1, 1, 1, 1, 1), (10, 1759276800, 2, 2, 2, 2, 2)`,
    ],
    changes: { series: (row) => ({ ...row, bars_id: null, retired_kind: null, retired_at: null }) },
  },
  "0010_run_list": { rows: [] },
  "0011_refetch": {
    rows: [
      `INSERT INTO jobs (id, run_id, symbol, interval, asks) VALUES
        (9, 'r-all', 'SOL-USD', '1m', 'missing'), (10, 'r-all', 'XRP-USD', '1m', 'nothing')`,
    ],
    changes: { jobs: (row) => ({ ...row, asks: "unanswered" }) },
  },
  "0012_stage_times": {
    rows: [
      `INSERT INTO jobs (id, run_id, symbol, interval, stage_ms) VALUES
        (11, 'r-all', 'ADA-USD', '1m', '{"fetch":1200,"waiting":300}')`,
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions) VALUES
        (60, 'FILE', 'csv', 'file', '1d', 'none', 'regular')`,
      `INSERT INTO runs (id, mode, interval, provider, repair_provider, years, batch_days, max_workers, range_from,
        range_to, as_of, state, created_at, finished_at) VALUES
        ('r-csv', 'full', '1d', 'csv', NULL, '2', 30, 4, 1696118400, 1759363200, 1759363200, 'complete', 900, 950),
        ('r-fill', 'repair', '1d', 'demo', 'csv', '2', 30, 4, 1696118400, 1759363200, 1759363200, 'complete', 910, 960)`,
    ],
    changes: { jobs: (row) => ({ ...row, stage_ms: "{}" }) },
  },
  "0013_profile_values": {
    rows: [
      // A share class with a dash: the next migration gives it the one spelling.
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions) VALUES
        (13, 'BF-B', 'demo', 'synthetic', '1d', 'none', 'regular')`,
      `INSERT INTO feature_lists (id, names) VALUES (100, '["sma_5"]')`,
    ],
    // With what upgradeDatabase does after the migration.
    changes: {
      profiles: ({ features, ...row }) => {
        const numbers = Object.values<number | null>(JSON.parse(String(features))).map((value) => value ?? Number.NaN);
        return {
          ...row,
          revision: row.interval === "1d" ? 1 : 2,
          feature_list_id: row.interval === "1d" ? 1 : 2,
          known_features: numbers.filter((value) => !Number.isNaN(value)).length,
          feature_values: Buffer.from(Float64Array.from(numbers).buffer),
        };
      },
      feature_states: ({ tail, tail_length, ...row }) => row,
    },
    inserts: {
      feature_lists: [
        { id: 1, names: '["rsi_14","adx_14"]' },
        { id: 2, names: "[]" },
      ],
    },
  },
  "0014_plans": {
    rows: [
      `INSERT INTO batches (series_id, from_ts, to_ts, run_id, status, rows, error, left_out, fetched_at) VALUES
        (1, 1672531200, 1696118400, 'r-full', 'not_in_plan', 3, 'limited by one year', '[[1672531200,1680000000]]', 140)`,
      "INSERT INTO bars (series_id, ts, open, high, low, close, volume) VALUES (3, 1759325700, 5, 5, 5, 5, NULL)",
      `INSERT INTO bar_revisions (series_id, ts, seen_at, run_id, kind, open, high, low, close, volume) VALUES
        (3, 1759325700, 1402, 'r-new', 'correction', 5, 5, 5, 4.9, NULL)`,
      `INSERT INTO corporate_actions (provider, symbol, kind, date, value, currency, seen_at) VALUES
        ('eodhd', 'VOD@LSE', 'dividend', 1759276800, 0.045, 'EUR', 1403)`,
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, provisional_from) VALUES
        (14, 'PROV', 'alpaca', 'sip', '1d', 'none', 'regular', 1759276800)`,
      `INSERT INTO plan_facts (account, kind, scope, value, words, seen_at) VALUES
        ('massive:0123456789ab', 'history', 'US 1d', 1700000000, 'does not include this data timeframe', 1404)`,
    ],
    changes: {
      batches: (row) => ({ ...row, left_out: null }),
      corporate_actions: (row) => ({ ...row, currency: null }),
      series: (row) => ({
        ...row,
        symbol: String(row.symbol).replace(/-([A-Z])$/, ".$1"),
        provisional_from: null,
      }),
    },
  },
  "0015_files_provider": { rows: [], changes: { series: renamed, runs: renamed } },
  "0016_login_ends": {
    rows: [
      `INSERT INTO tokens (id, name, hash, scope, created_at, expires_at) VALUES (100, 'guest', 'h100', 'read', 1500, 1600)`,
      `INSERT INTO sessions (hash, token_id, created_at, expires_at, last_used_at, address, agent) VALUES
        ('s100', 100, 1501, 1700, 1502, '203.0.113.7', 'a browser')`,
    ],
    changes: {
      tokens: (row) => ({ ...row, expires_at: null }),
      sessions: (row) => ({ ...row, last_used_at: 0, address: "", agent: "" }),
    },
  },
  "0017_holes": {
    rows: [
      `INSERT INTO gaps (series_id, date, kind, rows, opens, closes, holes) VALUES
        (1, 1759708800, 'hole', 240, 1759757400, 1759780800, '[[1759761000,1759770000]]')`,
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, gap_rules) VALUES
        (15, 'HOLE', 'alpaca', 'sip', '1m', 'none', 'regular', 1)`,
    ],
    changes: {
      gaps: (row) => ({ ...row, opens: null, closes: null, holes: "[]" }),
      mails: (row) => ({ ...row, later: null, refused: "[]" }),
      series: (row) => ({ ...row, gap_rules: 0 }),
    },
  },
  "0018_judged": {
    rows: [
      `INSERT INTO jump_bars (series_id, ts, open, high, low, close, volume, run_id, seen_at) VALUES
        (1, 1700000000, 500, 500, 500, 500, NULL, 'r-full', 1700)`,
      `INSERT INTO findings (series_id, kind, date, ratio, jump_date, seen_at) VALUES
        (1, 'split_off_date', 1754438400, 0.1, 1755648000, 1701)`,
      `INSERT INTO corporate_actions (provider, symbol, kind, date, value, seen_at) VALUES
        ('eodhd', 'TWIN', 'dividend', 1759276800, 0.32, 1702), ('eodhd', 'TWIN', 'dividend', 1759276800, 4, 1702)`,
    ],
    changes: {
      corporate_actions: (row) => ({ ...row, currency: row.currency ?? "", replaced_at: null }),
      series: (row) => ({ ...row, judged: 0 }),
    },
  },
  "0019_company_facts": {
    rows: [
      `INSERT INTO companies (id, symbol, name, exchange, source, updated_at, type, currency, country, sector, industry,
        listed_on, delisted_on, isin, figi, origins) VALUES
        (100, 'GONE', 'Gone Miners', 'NYSE', 'massive', 1800, 'stock', 'USD', 'United States', 'Energy', 'Coal',
        '1999-01-04', '2015-06-30', 'US0378331005', 'BBG000B9XRY4', '{"sector":["import",1801]}')`,
    ],
    changes: {
      companies: (row) => ({
        ...row,
        type: null,
        currency: null,
        country: null,
        sector: null,
        industry: null,
        listed_on: null,
        delisted_on: null,
        isin: null,
        figi: null,
        origins: "{}",
      }),
    },
  },
  "0020_alert_channels": {
    rows: [
      `INSERT INTO channels (id, name, kind, target, host, rules, enabled, since, created_at) VALUES
        ('c1', 'Team', 'slack', 'sealed', 'hooks.slack.com', '{}', 1, 1600, 1600)`,
      `INSERT INTO mails (id, kind, recipients, subject, text, html, channel_id, body, not_before, created_at) VALUES
        ('m100', 'test', 'Team', 'Test', 'Test', '', 'c1', '{}', 1601, 1601)`,
      `INSERT INTO alert_events (id, key, kind, at, event, state) VALUES
        (100, 'disk_low:2026-01-05', 'disk_low', 1602, '{}', 'muted')`,
      "INSERT INTO alert_deliveries (event_id, channel_id, mail_id) VALUES (100, 'c1', 'm100')",
    ],
    changes: { mails: (row) => ({ ...row, channel_id: null, body: null, attachment: null }) },
  },
  "0021_listing": {
    rows: [
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, listed_from) VALUES
        (16, 'YNG', 'alpaca', 'sip', '1m', 'none', 'regular', 1557446400)`,
    ],
    changes: { series: (row) => ({ ...row, listed_from: null }) },
  },
  "0022_backup_failed": {
    rows: [
      `INSERT INTO alert_events (id, key, kind, at, event, state) VALUES
        (101, 'backup_failed:1603', 'backup_failed', 1603, '{}', 'muted')`,
      "INSERT INTO alert_deliveries (event_id, channel_id, mail_id) VALUES (101, 'c1', 'm100')",
    ],
  },
  "0023_as_known_at": {
    rows: [
      `INSERT INTO arrivals (series_id, from_ts, to_ts, seen_at, is_window) VALUES (1, 1767312000, 1767398400, 1700, 0)`,
      `INSERT INTO provisional_bars (series_id, ts, replaced_at, open, high, low, close, volume) VALUES
        (1, 1767312000, 1701, 1, 2, 0.5, 1.5, NULL)`,
      `INSERT INTO former_actions (provider, symbol, kind, date, value, seen_at, replaced_at) VALUES
        ('eodhd', 'AAPL', 'split', 1598832000, 4, 1702, 1703)`,
      "INSERT INTO shown_series (symbol, interval, since, series_id) VALUES ('AAPL', '5m', 1704, NULL)",
    ],
    changes: {
      batches: (row) => ({ ...row, first_at: null }),
      series: (row) => ({ ...row, arrivals_since: null }),
    },
  },
  "0024_snapshots": {
    rows: [
      `INSERT INTO snapshots (id, name, sha256, rows, files, request, symbols, missing, version, catalog_version,
        calendar_version, created_at) VALUES ('s', 'First', 'a1', 2, '[]', '{}', '["AAPL"]', '[]', '0.2.0', '4', 'c1', 1705)`,
    ],
  },
  "0025_lake_changes": {
    rows: ["INSERT INTO lake_changes (bars_id, year, changes) VALUES (1, 2025, 1), (1, 0, 3)"],
  },
  "0026_run_names": {
    rows: [
      `INSERT INTO runs (id, name, mode, interval, provider, years, dated, batch_days, max_workers, range_from, range_to, as_of,
        state, created_at, finished_at, acknowledged_at) VALUES
        ('r-named', 'Night', 'full', '1d', 'demo', '2', 1, 30, 4, 1696118400, 1759363200, 1759363200, 'failed', 980, 990, NULL)`,
      `INSERT INTO jobs (id, run_id, symbol, interval, first_at) VALUES (12, 'r-named', 'DOT-USD', '1m', 985)`,
    ],
    changes: {
      jobs: (row) => ({ ...row, first_at: null }),
      runs: (row) => ({
        ...row,
        name: null,
        dated: 0,
        acknowledged_at: row.state === "failed" ? (row.finished_at ?? row.created_at) : null,
      }),
    },
  },
  "0027_attempts": {
    rows: [
      "INSERT INTO tokens (name, hash, scope, created_at) VALUES ('Worker', 'w0', 'worker', 1)",
      `INSERT INTO jobs (id, run_id, symbol, interval, state, attempt) VALUES
        (13, 'r-named', 'AVAX-USD', '1m', 'running', 'a0')`,
    ],
    changes: { jobs: (row) => ({ ...row, attempt: null }) },
  },
  "0028_promises": {
    rows: [
      `INSERT INTO promises (id, name, scope, symbols, watchlist_id, interval, provider, by_time, time_zone, days, venue,
        max_gaps, gap_days, warn_hours, enabled, checked_at) VALUES
        (1, 'Tech by seven', 'watchlist', '[]', 3, '1d', NULL, '07:00', 'America/New_York', 'trading_days', 'us_equity',
         2, 30, 6, 1, 1800)`,
      `INSERT INTO promise_results (promise_id, deadline, outcome, judged_at, total, fresh, missing, unknown, gaps, note,
        symbols, recovered_at) VALUES
        (1, 1790, 'missed', 1791, 3, 2, 1, 0, 0, 'late', '["KO"]', 1795), (1, 1800, 'unknown', 1801, 3, 2, 0, 1, NULL, '', '[]', NULL)`,
      `INSERT INTO alert_events (id, key, kind, at, event, state) VALUES
        (102, 'freshness_missed:1:1790', 'freshness_missed', 1791, '{}', 'muted')`,
    ],
  },
  "0030_kept_from": {
    rows: [
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, kept_from, pruned_at, is_pruning) VALUES
        (17, 'OLD', 'demo', 'demo', '1d', 'none', 'regular', 1577836800, 1706, 1)`,
    ],
    changes: { series: (row) => ({ ...row, kept_from: null, pruned_at: null, is_pruning: 0 }) },
  },
  "0031_workers_and_queue": {
    rows: [
      `INSERT INTO alert_events (id, key, kind, at, event, state) VALUES
        (103, 'worker_lost:rack-1:2026-01-05', 'worker_lost', 1802, '{}', 'muted'), (104, 'queue_down:1803', 'queue_down', 1803, '{}', 'muted')`,
    ],
  },
  "0032_jobs_by_state": { rows: [] },
  "0033_health_changes": { rows: ["INSERT INTO health_changes (revision, series_id) VALUES (40, 1)"] },
};
