CREATE TABLE `arrivals` (
	`series_id` integer NOT NULL,
	`from_ts` integer NOT NULL,
	`to_ts` integer NOT NULL,
	`seen_at` integer NOT NULL,
	`is_window` integer NOT NULL,
	PRIMARY KEY(`series_id`, `from_ts`, `to_ts`, `seen_at`, `is_window`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `former_actions` (
	`provider` text NOT NULL,
	`symbol` text NOT NULL,
	`kind` text NOT NULL,
	`date` integer NOT NULL,
	`value` real NOT NULL,
	`currency` text DEFAULT '' NOT NULL,
	`seen_at` integer NOT NULL,
	`replaced_at` integer NOT NULL,
	PRIMARY KEY(`provider`, `symbol`, `kind`, `date`, `value`, `currency`, `seen_at`),
	CONSTRAINT "former_actions_kind" CHECK("former_actions"."kind" in ('split', 'dividend'))
);
--> statement-breakpoint
CREATE TABLE `provisional_bars` (
	`series_id` integer NOT NULL,
	`ts` integer NOT NULL,
	`replaced_at` integer NOT NULL,
	`open` real NOT NULL,
	`high` real NOT NULL,
	`low` real NOT NULL,
	`close` real NOT NULL,
	`volume` real,
	PRIMARY KEY(`series_id`, `ts`, `replaced_at`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `shown_series` (
	`symbol` text NOT NULL,
	`interval` text NOT NULL,
	`since` integer NOT NULL,
	`series_id` integer,
	PRIMARY KEY(`symbol`, `interval`, `since`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `series` ADD `arrivals_since` integer;--> statement-breakpoint
ALTER TABLE `batches` ADD `first_at` integer;--> statement-breakpoint
UPDATE `series` SET `arrivals_since` = max(
	coalesce((SELECT max(`fetched_at`) FROM `batches` WHERE `series_id` = `series`.`id`), 0),
	coalesce((SELECT max(`seen_at`) FROM `bar_revisions` WHERE `series_id` = `series`.`id`), 0),
	coalesce(`retired_at`, 0)
) WHERE EXISTS (SELECT 1 FROM `bars` WHERE `series_id` = coalesce(`series`.`bars_id`, `series`.`id`));--> statement-breakpoint
UPDATE `series` SET `arrivals_since` = coalesce((SELECT max(coalesce(`finished_at`, `created_at`)) FROM `runs`), 1) WHERE `arrivals_since` = 0;--> statement-breakpoint
INSERT INTO `arrivals` (`series_id`, `from_ts`, `to_ts`, `seen_at`, `is_window`)
SELECT `id`, (SELECT min(`ts`) FROM `bars` WHERE `series_id` = coalesce(`series`.`bars_id`, `series`.`id`)),
(SELECT max(`ts`) + 1 FROM `bars` WHERE `series_id` = coalesce(`series`.`bars_id`, `series`.`id`)), 0, 1
FROM `series` WHERE `arrivals_since` IS NOT NULL;
