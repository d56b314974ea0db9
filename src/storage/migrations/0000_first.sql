CREATE TABLE `api_usage` (
	`provider` text NOT NULL,
	`minute` integer NOT NULL,
	`requests` integer NOT NULL,
	`units` integer NOT NULL,
	PRIMARY KEY(`provider`, `minute`)
);
--> statement-breakpoint
CREATE TABLE `bars` (
	`series_id` integer NOT NULL,
	`ts` integer NOT NULL,
	`open` real NOT NULL,
	`high` real NOT NULL,
	`low` real NOT NULL,
	`close` real NOT NULL,
	`volume` real NOT NULL,
	PRIMARY KEY(`series_id`, `ts`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `batches` (
	`series_id` integer NOT NULL,
	`from_ts` integer NOT NULL,
	`to_ts` integer NOT NULL,
	`run_id` text NOT NULL,
	`status` text NOT NULL,
	`rows` integer NOT NULL,
	`rejected` integer DEFAULT 0 NOT NULL,
	`first_ts` integer,
	`last_ts` integer,
	`attempts` integer DEFAULT 1 NOT NULL,
	`error` text,
	`fetched_at` integer NOT NULL,
	PRIMARY KEY(`series_id`, `from_ts`, `to_ts`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "batches_status" CHECK("batches"."status" in ('ok', 'empty', 'failed')),
	CONSTRAINT "batches_window" CHECK("batches"."from_ts" < "batches"."to_ts"),
	CONSTRAINT "batches_empty" CHECK("batches"."status" <> 'empty' or "batches"."rows" = 0),
	CONSTRAINT "batches_failed" CHECK("batches"."status" <> 'failed' or "batches"."error" is not null)
);
--> statement-breakpoint
CREATE TABLE `companies` (
	`symbol` text PRIMARY KEY NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`exchange` text DEFAULT '' NOT NULL,
	`source` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `feature_states` (
	`symbol` text NOT NULL,
	`interval` text NOT NULL,
	`state` blob NOT NULL,
	`tail` blob NOT NULL,
	`tail_length` integer NOT NULL,
	PRIMARY KEY(`symbol`, `interval`)
);
--> statement-breakpoint
CREATE TABLE `jobs` (
	`id` integer PRIMARY KEY NOT NULL,
	`run_id` text NOT NULL,
	`symbol` text NOT NULL,
	`interval` text NOT NULL,
	`state` text DEFAULT 'queued' NOT NULL,
	`status` text DEFAULT 'Queued' NOT NULL,
	`micro_stage` text DEFAULT 'Waiting for a worker' NOT NULL,
	`progress` integer DEFAULT 0 NOT NULL,
	`data_points` integer DEFAULT 0 NOT NULL,
	`api_calls` integer DEFAULT 0 NOT NULL,
	`plan_from` integer,
	`fetch_ms` integer DEFAULT 0 NOT NULL,
	`worked_ms` integer DEFAULT 0 NOT NULL,
	`deaths` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`error` text,
	`started_at` integer,
	`finished_at` integer,
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "jobs_state" CHECK("jobs"."state" in ('queued', 'running', 'paused', 'complete', 'failed', 'cancelled', 'skipped')),
	CONSTRAINT "jobs_progress" CHECK("jobs"."progress" between 0 and 100),
	CONSTRAINT "jobs_finished" CHECK("jobs"."state" <> 'complete' or "jobs"."finished_at" is not null),
	CONSTRAINT "jobs_failed" CHECK("jobs"."state" <> 'failed' or "jobs"."error" is not null)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_of_run` ON `jobs` (`run_id`,`symbol`);--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_active_symbol` ON `jobs` (`symbol`,`interval`) WHERE "jobs"."state" in ('queued', 'running', 'paused');--> statement-breakpoint
CREATE INDEX `jobs_by_state` ON `jobs` (`state`);--> statement-breakpoint
CREATE TABLE `logs` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`level` text NOT NULL,
	`run_id` text,
	`symbol` text,
	`message` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `logs_of_run` ON `logs` (`run_id`,`id`);--> statement-breakpoint
CREATE TABLE `profiles` (
	`symbol` text NOT NULL,
	`interval` text NOT NULL,
	`series_id` integer NOT NULL,
	`provider` text NOT NULL,
	`first_bar` integer NOT NULL,
	`last_bar` integer NOT NULL,
	`last_close` real NOT NULL,
	`features` text NOT NULL,
	`catalog_version` text NOT NULL,
	`backfill` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`symbol`, `interval`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `rejected_bars` (
	`series_id` integer NOT NULL,
	`place` text NOT NULL,
	`reason` text NOT NULL,
	`raw` text NOT NULL,
	`run_id` text NOT NULL,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`series_id`, `place`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `runs` (
	`id` text PRIMARY KEY NOT NULL,
	`mode` text NOT NULL,
	`interval` text NOT NULL,
	`provider` text NOT NULL,
	`years` text NOT NULL,
	`batch_days` integer NOT NULL,
	`max_workers` integer NOT NULL,
	`range_from` integer NOT NULL,
	`range_to` integer NOT NULL,
	`as_of` integer NOT NULL,
	`state` text DEFAULT 'running' NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	CONSTRAINT "runs_state" CHECK("runs"."state" in ('running', 'paused', 'complete', 'failed', 'cancelled')),
	CONSTRAINT "runs_mode" CHECK("runs"."mode" in ('full', 'incremental', 'reprocess', 'repair'))
);
--> statement-breakpoint
CREATE INDEX `runs_by_time` ON `runs` (`created_at`);--> statement-breakpoint
CREATE INDEX `runs_open` ON `runs` (`state`);--> statement-breakpoint
CREATE TABLE `series` (
	`id` integer PRIMARY KEY NOT NULL,
	`symbol` text NOT NULL,
	`provider` text NOT NULL,
	`feed` text NOT NULL,
	`interval` text NOT NULL,
	`adjustment` text NOT NULL,
	`sessions` text NOT NULL,
	CONSTRAINT "series_interval" CHECK("series"."interval" in ('1m', '5m', '15m', '1h', '1d'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `series_key` ON `series` (`symbol`,`interval`,`provider`,`feed`,`adjustment`,`sessions`);--> statement-breakpoint
CREATE TABLE `settings` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`updated_at` integer NOT NULL
);
