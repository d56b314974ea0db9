/** Rows for the first migrations; those of the others are in tests/storage/upgrade-rows.ts. */

/** A row by its column names. */
export type Row = Readonly<Record<string, unknown>>;

export interface Migration {
  /** Statements that insert rows as soon as this migration is applied: they use what is new in it. */
  readonly rows: readonly string[];
  /** By table: an earlier row as this migration leaves it. Rows of other tables stay as they are. */
  readonly changes?: Readonly<Record<string, (row: Row) => Row>>;
  /** By table: rows that the migration itself inserts. */
  readonly inserts?: Readonly<Record<string, readonly Row[]>>;
}

export const FIRST: Readonly<Record<string, Migration>> = {
  "0000_first": {
    rows: [
      `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions) VALUES
        (1, 'AAPL', 'demo', 'synthetic', '1d', 'none', 'regular'),
        (2, 'BTC-USD', 'binance', 'spot', '1m', 'none', 'continuous'),
        (3, 'MSFT', 'alpaca', 'iex', '5m', 'splits', 'regular'),
        (4, 'MSFT', 'alpaca', 'sip', '15m', 'splits', 'extended'),
        (5, 'AAPL', 'tiingo', 'iex', '1h', 'none', 'regular')`,
      `INSERT INTO bars (series_id, ts, open, high, low, close, volume) VALUES
        (1, 1759276800, 100.1, 101.25, 99.5, 100.75, 1500000), (1, 1759363200, 100.75, 102, 100.5, 101.9, 1250000.5),
        (2, 1759276800, 64000.01, 64000.02, 63999.99, 64000, 0.00012345), (3, 1759325400, 500, 500, 500, 500, 0)`,
      `INSERT INTO runs (id, mode, interval, provider, years, batch_days, max_workers, range_from, range_to, as_of,
        state, created_at, finished_at) VALUES
        ('r-full', 'full', '1d', 'demo', '2', 30, 4, 1696118400, 1759363200, 1759363200, 'complete', 100, 200),
        ('r-all', 'full', '1m', 'binance', 'all', 7, 2, 0, 1759363200, 1759363200, 'running', 300, NULL),
        ('r-new', 'incremental', '5m', 'alpaca', '0.5', 30, 1, 1743465600, 1759363200, 1759363200, 'paused', 400, NULL),
        ('r-features', 'reprocess', '1d', 'demo', '2', 30, 4, 1696118400, 1759363200, 1759363200, 'failed', 500, 600),
        ('r-repair', 'repair', '1h', 'tiingo', '2', 30, 4, 1696118400, 1759363200, 1759363200, 'cancelled', 700, 800)`,
      `INSERT INTO jobs (id, run_id, symbol, interval, state, status, micro_stage, progress, data_points, api_calls,
        plan_from, fetch_ms, worked_ms, deaths, attempts, error, started_at, finished_at) VALUES
        (1, 'r-full', 'AAPL', '1d', 'complete', 'Complete', 'Done in 3s', 100, 2, 5, NULL, 900, 3000, 0, 1, NULL,
         110, 190),
        (2, 'r-full', 'NONE', '1d', 'skipped', 'Skipped', 'Skipped', 40, 0, 1, NULL, 10, 20, 0, 1, NULL, 110, 150),
        (3, 'r-all', 'BTC-USD', '1m', 'running', 'Fetching history', 'Batch 1/9: 4%', 4, 1, 1, NULL, 5, 0, 1, 2,
         NULL, 310, NULL),
        (4, 'r-new', 'MSFT', '5m', 'paused', 'Paused', 'Paused at batch 2/6', 20, 1, 2, 1759190400, 7, 8, 0, 1,
         NULL, 410, NULL),
        (5, 'r-features', 'AAPL', '1d', 'failed', 'Failed', 'Out of memory', 60, 2, 0, NULL, 0, 70, 3, 3,
         'Out of memory', 510, 590),
        (6, 'r-repair', 'AAPL', '1h', 'cancelled', 'Cancelled', 'Cancelled', 0, 0, 0, NULL, 0, 0, 0, 0, NULL,
         NULL, 790)`,
      `INSERT INTO jobs (id, run_id, symbol, interval) VALUES (7, 'r-all', 'ETH-USD', '1m')`,
      `INSERT INTO batches (series_id, from_ts, to_ts, run_id, status, rows, rejected, first_ts, last_ts, attempts,
        error, fetched_at) VALUES
        (1, 1759276800, 1759449600, 'r-full', 'ok', 2, 1, 1759276800, 1759363200, 1, NULL, 120),
        (1, 1696118400, 1698710400, 'r-full', 'empty', 0, 0, NULL, NULL, 2, NULL, 130),
        (2, 0, 604800, 'r-all', 'failed', 0, 0, NULL, NULL, 5, 'HTTP 500', 320)`,
      `INSERT INTO rejected_bars (series_id, place, reason, raw, run_id, seen_at) VALUES
        (1, 'AAPL.csv:17', 'high below low', '2025-10-01,1,0,2,1,5', 'r-full', 120)`,
      `INSERT INTO profiles (symbol, interval, series_id, provider, first_bar, last_bar, last_close, features,
        catalog_version, backfill, updated_at) VALUES
        ('AAPL', '1d', 1, 'demo', 1759276800, 1759363200, 101.9, '{"rsi_14":55.5,"adx_14":null}', 'v1',
         '{"history_complete":true,"history_rows":2,"api_calls_used":5}', 190),
        ('AAPL', '1h', 5, 'tiingo', 1759276800, 1759363200, 101.8, '{}', 'v0', '{"history_complete":false}', 191)`,
      `INSERT INTO feature_states (symbol, interval, state, tail, tail_length) VALUES
        ('AAPL', '1d', x'00ff10', x'0000c07f00005e42', 1)`,
      `INSERT INTO companies (symbol, name, exchange, source, updated_at) VALUES
        ('AAPL', 'Apple Inc.', 'NASDAQ', 'import', 1)`,
      `INSERT INTO api_usage (provider, minute, requests, units) VALUES
        ('demo', 1759363200, 12, 12), ('alpaca', 1759363260, 3, 30)`,
      `INSERT INTO logs (id, at, level, run_id, symbol, message) VALUES
        (1, 111, 'info', 'r-full', 'AAPL', 'AAPL: Complete'), (2, 112, 'warn', NULL, NULL, 'Disk')`,
      `INSERT INTO settings (key, value, updated_at) VALUES
        ('provider', 'demo', 1), ('seal:salt', 'c2FsdA==', 2)`,
    ],
  },
  "0001_quotas": {
    rows: [
      `INSERT INTO quotas (account, period, started_at, used) VALUES
        ('demo', 'day', 1759276800, 41.5), ('alpaca', 'minute', 1759363200, 199)`,
    ],
  },
  "0002_companies": {
    rows: [
      `INSERT INTO companies (id, symbol, name, exchange, source, updated_at) VALUES
        (7, 'EL', 'Estée Lauder', 'NYSE', 'demo', 2), (9, 'ZZZ', '', '', 'watchlist', 3)`,
      `INSERT INTO company_lists (provider, exchange, companies, fetched_at) VALUES
        ('demo', 'US', 2, 5)`,
      `INSERT INTO watchlists (id, name, created_at) VALUES
        (3, 'Tech', 6), (4, 'Empty', 7)`,
      `INSERT INTO watchlist_symbols (watchlist_id, symbol) VALUES
        (3, 'AAPL'), (3, 'MSFT')`,
    ],
    changes: { companies: (row) => ({ id: 1, ...row }) },
  },
  "0003_company_names": {
    rows: [
      `INSERT INTO companies (id, symbol, name, exchange, source, updated_at) VALUES
        (12, 'KO', 'The Coca-Cola Company', 'NYSE', 'demo', 4)`,
    ],
  },
  "0004_alerts": {
    rows: [
      `INSERT INTO mails (id, kind, recipients, subject, text, html, state, attempts, not_before, leased_until, error,
        created_at, sent_at) VALUES
        ('m1', 'run_finished', 'a@example.org', 'Run', 't', '<p>t</p>', 'sent', 1, 200, NULL, NULL, 200, 210),
        ('m2', 'test', 'a@example.org', 'Test', 't', '<p>t</p>', 'failed', 5, 300, NULL, 'Refused', 300, NULL),
        ('m3', 'job_failed', 'a@example.org', 'Job', 't', '<p>t</p>', 'sending', 1, 600, 900, NULL, 600, NULL),
        ('m4', 'test', 'a@example.org', 'Test', 't', '<p>t</p>', 'waiting', 0, 700, NULL, NULL, 700, NULL)`,
      `INSERT INTO alert_events (id, key, kind, run_id, at, event, state, mail_id) VALUES
        (1, 'run r-full', 'run_finished', 'r-full', 200, '{"kind":"run_finished","at":200}', 'mailed', 'm1'),
        (2, 'job 5', 'job_failed', 'r-features', 590, '{"kind":"job_failed","at":590,"symbol":"AAPL"}', 'new', NULL),
        (3, 'quota', 'quota_level', NULL, 50, '{"kind":"quota_level","at":50,"used":80}', 'muted', NULL)`,
    ],
  },
  "0005_access": {
    rows: [
      `INSERT INTO tokens (id, name, hash, scope, created_at, last_used_at) VALUES
        (1, 'Grafana', 'aa', 'read', 10, 20), (2, 'Nightly', 'bb', 'admin', 11, NULL)`,
      `INSERT INTO sessions (hash, token_id, created_at, expires_at) VALUES
        ('cookie', NULL, 12, 9000), ('guest', 1, 13, 9000)`,
      `INSERT INTO audit (id, at, actor, action, subject, reason, before, after) VALUES
        (1, 100, 'owner', 'run.start', 'r-full', 'first run', NULL, '{"symbols":["AAPL"],"mode":"full"}'),
        (2, 120, 'Nightly', 'settings.change', 'demo', NULL, '{"a":1}', '{"a":2}')`,
    ],
  },
};
