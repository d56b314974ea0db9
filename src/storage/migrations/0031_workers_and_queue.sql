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
	CONSTRAINT "alert_events_kind" CHECK("__new_alert_events"."kind" in ('job_failed', 'run_failed', 'run_finished', 'quota_level', 'revision_found', 'gap_found', 'schedule_missed', 'run_recovered', 'key_refused', 'series_stale', 'quality_found', 'disk_low', 'backup_failed', 'worker_lost', 'queue_down', 'freshness_at_risk', 'freshness_missed', 'freshness_recovered', 'daily_summary')),
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