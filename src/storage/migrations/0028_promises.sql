CREATE TABLE `promise_results` (
	`id` integer PRIMARY KEY NOT NULL,
	`promise_id` integer NOT NULL,
	`deadline` integer NOT NULL,
	`outcome` text NOT NULL,
	`judged_at` integer NOT NULL,
	`total` integer NOT NULL,
	`fresh` integer NOT NULL,
	`missing` integer NOT NULL,
	`unknown` integer NOT NULL,
	`gaps` integer,
	`note` text DEFAULT '' NOT NULL,
	`symbols` text DEFAULT '[]' NOT NULL,
	`recovered_at` integer,
	FOREIGN KEY (`promise_id`) REFERENCES `promises`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "promise_results_outcome" CHECK("promise_results"."outcome" in ('kept', 'missed', 'unknown')),
	CONSTRAINT "promise_results_counts" CHECK("promise_results"."fresh" + "promise_results"."missing" + "promise_results"."unknown" = "promise_results"."total"),
	CONSTRAINT "promise_results_recovered" CHECK("promise_results"."recovered_at" is null or "promise_results"."outcome" = 'missed')
);
--> statement-breakpoint
CREATE UNIQUE INDEX `promise_results_once` ON `promise_results` (`promise_id`,`deadline`);--> statement-breakpoint
CREATE TABLE `promises` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`scope` text NOT NULL,
	`symbols` text DEFAULT '[]' NOT NULL,
	`watchlist_id` integer,
	`interval` text NOT NULL,
	`provider` text,
	`by_time` text NOT NULL,
	`time_zone` text NOT NULL,
	`days` text NOT NULL,
	`venue` text NOT NULL,
	`max_gaps` integer NOT NULL,
	`gap_days` integer NOT NULL,
	`warn_hours` integer NOT NULL,
	`enabled` integer NOT NULL,
	`checked_at` integer NOT NULL,
	FOREIGN KEY (`watchlist_id`) REFERENCES `watchlists`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "promises_scope" CHECK("promises"."scope" in ('symbols', 'watchlist', 'stored')),
	CONSTRAINT "promises_interval" CHECK("promises"."interval" in ('1m', '5m', '15m', '1h', '1d')),
	CONSTRAINT "promises_days" CHECK("promises"."days" in ('trading_days', 'weekdays', 'every_day'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `promises_name` ON `promises` (lower("name"));--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_alert_events` (
	`id` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`kind` text NOT NULL,
	`run_id` text,
	`at` integer NOT NULL,
	`event` text NOT NULL,
	`state` text DEFAULT 'new' NOT NULL,
	`mail_id` text,
	FOREIGN KEY (`mail_id`) REFERENCES `mails`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "alert_events_kind" CHECK("__new_alert_events"."kind" in ('job_failed', 'run_failed', 'run_finished', 'quota_level', 'revision_found', 'gap_found', 'schedule_missed', 'run_recovered', 'key_refused', 'series_stale', 'quality_found', 'disk_low', 'backup_failed', 'freshness_at_risk', 'freshness_missed', 'freshness_recovered', 'daily_summary')),
	CONSTRAINT "alert_events_state" CHECK("__new_alert_events"."state" in ('new', 'mailed', 'muted')),
	CONSTRAINT "alert_events_mailed" CHECK(("__new_alert_events"."state" = 'mailed') = ("__new_alert_events"."mail_id" is not null))
);
--> statement-breakpoint
INSERT INTO `__new_alert_events`("id", "key", "kind", "run_id", "at", "event", "state", "mail_id") SELECT "id", "key", "kind", "run_id", "at", "event", "state", "mail_id" FROM `alert_events`;--> statement-breakpoint
DROP TABLE `alert_events`;--> statement-breakpoint
ALTER TABLE `__new_alert_events` RENAME TO `alert_events`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE UNIQUE INDEX `alert_events_key_unique` ON `alert_events` (`key`);--> statement-breakpoint
CREATE INDEX `alert_events_new` ON `alert_events` (`at`) WHERE "alert_events"."state" = 'new';--> statement-breakpoint
CREATE INDEX `alert_events_of_mail` ON `alert_events` (`mail_id`);--> statement-breakpoint
CREATE INDEX `alert_events_by_time` ON `alert_events` (`at`);