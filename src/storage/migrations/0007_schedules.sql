CREATE TABLE `schedule_turns` (
	`id` integer PRIMARY KEY NOT NULL,
	`schedule_id` integer NOT NULL,
	`due_at` integer NOT NULL,
	`at` integer NOT NULL,
	`cause` text NOT NULL,
	`outcome` text NOT NULL,
	`note` text DEFAULT '' NOT NULL,
	`run_id` text,
	FOREIGN KEY (`schedule_id`) REFERENCES `schedules`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "turns_cause" CHECK("schedule_turns"."cause" in ('due', 'catch_up', 'by_hand')),
	CONSTRAINT "turns_outcome" CHECK("schedule_turns"."outcome" in ('started', 'skipped', 'missed', 'refused'))
);
--> statement-breakpoint
CREATE INDEX `turns_of_schedule` ON `schedule_turns` (`schedule_id`,`id`);--> statement-breakpoint
CREATE INDEX `turns_of_run` ON `schedule_turns` (`run_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `turns_once` ON `schedule_turns` (`schedule_id`,`due_at`,`cause`);--> statement-breakpoint
CREATE TABLE `schedules` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`cron` text NOT NULL,
	`time_zone` text NOT NULL,
	`scope` text NOT NULL,
	`symbols` text DEFAULT '[]' NOT NULL,
	`watchlist_id` integer,
	`interval` text NOT NULL,
	`provider` text,
	`mode` text NOT NULL,
	`years` text NOT NULL,
	`enabled` integer NOT NULL,
	`on_missed` text NOT NULL,
	`checked_at` integer NOT NULL,
	FOREIGN KEY (`watchlist_id`) REFERENCES `watchlists`(`id`) ON UPDATE no action ON DELETE set null,
	CONSTRAINT "schedules_scope" CHECK("schedules"."scope" in ('symbols', 'watchlist', 'stored')),
	CONSTRAINT "schedules_interval" CHECK("schedules"."interval" in ('1m', '5m', '15m', '1h', '1d')),
	CONSTRAINT "schedules_mode" CHECK("schedules"."mode" in ('full', 'incremental', 'reprocess', 'repair')),
	CONSTRAINT "schedules_on_missed" CHECK("schedules"."on_missed" in ('catch_up', 'skip'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `schedules_name` ON `schedules` (lower("name"));--> statement-breakpoint
INSERT INTO `schedules` (`name`, `cron`, `time_zone`, `scope`, `interval`, `mode`, `years`, `enabled`, `on_missed`, `checked_at`)
VALUES ('After the US close', '30 18 * * 1-5', 'America/New_York', 'stored', '1d', 'incremental', '2', 0, 'catch_up', 0);
