CREATE TABLE `alert_events` (
	`id` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`kind` text NOT NULL,
	`run_id` text,
	`at` integer NOT NULL,
	`event` text NOT NULL,
	`state` text DEFAULT 'new' NOT NULL,
	`mail_id` text,
	FOREIGN KEY (`mail_id`) REFERENCES `mails`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "alert_events_kind" CHECK("alert_events"."kind" in ('job_failed', 'run_failed', 'run_finished', 'quota_level', 'revision_found', 'gap_found', 'schedule_missed')),
	CONSTRAINT "alert_events_state" CHECK("alert_events"."state" in ('new', 'mailed', 'muted')),
	CONSTRAINT "alert_events_mailed" CHECK(("alert_events"."state" = 'mailed') = ("alert_events"."mail_id" is not null))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alert_events_key_unique` ON `alert_events` (`key`);--> statement-breakpoint
CREATE INDEX `alert_events_new` ON `alert_events` (`at`) WHERE "alert_events"."state" = 'new';--> statement-breakpoint
CREATE INDEX `alert_events_of_mail` ON `alert_events` (`mail_id`);--> statement-breakpoint
CREATE TABLE `mails` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`recipients` text NOT NULL,
	`subject` text NOT NULL,
	`text` text NOT NULL,
	`html` text NOT NULL,
	`state` text DEFAULT 'waiting' NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`not_before` integer NOT NULL,
	`leased_until` integer,
	`error` text,
	`created_at` integer NOT NULL,
	`sent_at` integer,
	CONSTRAINT "mails_state" CHECK("mails"."state" in ('waiting', 'sending', 'sent', 'failed')),
	CONSTRAINT "mails_sending" CHECK(("mails"."state" = 'sending') = ("mails"."leased_until" is not null)),
	CONSTRAINT "mails_sent" CHECK(("mails"."state" = 'sent') = ("mails"."sent_at" is not null)),
	CONSTRAINT "mails_failed" CHECK("mails"."state" <> 'failed' or "mails"."error" is not null)
);
--> statement-breakpoint
CREATE INDEX `mails_by_time` ON `mails` (`created_at`);--> statement-breakpoint
CREATE INDEX `mails_open` ON `mails` (`not_before`) WHERE "mails"."state" in ('waiting', 'sending');