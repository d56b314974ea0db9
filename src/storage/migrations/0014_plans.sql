CREATE TABLE `plan_facts` (
	`account` text NOT NULL,
	`kind` text NOT NULL,
	`scope` text NOT NULL,
	`value` integer NOT NULL,
	`words` text NOT NULL,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`account`, `kind`, `scope`),
	CONSTRAINT "plan_facts_kind" CHECK("plan_facts"."kind" in ('history', 'allowed', 'recent', 'exchange', 'interval'))
);
--> statement-breakpoint
CREATE TABLE `__new_batches` (
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
	`left_out` text,
	`fetched_at` integer NOT NULL,
	PRIMARY KEY(`series_id`, `from_ts`, `to_ts`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "batches_status" CHECK("__new_batches"."status" in ('ok', 'empty', 'failed', 'not_in_plan')),
	CONSTRAINT "batches_window" CHECK("__new_batches"."from_ts" < "__new_batches"."to_ts"),
	CONSTRAINT "batches_empty" CHECK("__new_batches"."status" <> 'empty' or "__new_batches"."rows" = 0),
	CONSTRAINT "batches_failed" CHECK("__new_batches"."status" not in ('failed', 'not_in_plan') or "__new_batches"."error" is not null),
	CONSTRAINT "batches_left_out" CHECK(("__new_batches"."status" = 'not_in_plan') = ("__new_batches"."left_out" is not null))
);
--> statement-breakpoint
INSERT INTO `__new_batches`("series_id", "from_ts", "to_ts", "run_id", "status", "rows", "rejected", "first_ts", "last_ts", "attempts", "error", "fetched_at") SELECT "series_id", "from_ts", "to_ts", "run_id", "status", "rows", "rejected", "first_ts", "last_ts", "attempts", "error", "fetched_at" FROM `batches`;--> statement-breakpoint
DROP TABLE `batches`;--> statement-breakpoint
ALTER TABLE `__new_batches` RENAME TO `batches`;--> statement-breakpoint
-- By hand: a libSQL statement that leaves the rows as they are.
ALTER TABLE `bars` ALTER COLUMN `volume` TO `volume` real;--> statement-breakpoint
ALTER TABLE `bar_revisions` ALTER COLUMN `volume` TO `volume` real;--> statement-breakpoint
ALTER TABLE `corporate_actions` ADD `currency` text;--> statement-breakpoint
ALTER TABLE `series` ADD `provisional_from` integer;--> statement-breakpoint
-- By hand: share classes have one spelling, BRK.B; of two series with both spellings the old one keeps its name.
UPDATE OR IGNORE `companies` SET `symbol` = substr(`symbol`, 1, length(`symbol`) - 2) || '.' || substr(`symbol`, -1) WHERE `symbol` GLOB '*-[A-Z]';--> statement-breakpoint
UPDATE OR IGNORE `watchlist_symbols` SET `symbol` = substr(`symbol`, 1, length(`symbol`) - 2) || '.' || substr(`symbol`, -1) WHERE `symbol` GLOB '*-[A-Z]';--> statement-breakpoint
UPDATE OR IGNORE `series` SET `symbol` = substr(`symbol`, 1, length(`symbol`) - 2) || '.' || substr(`symbol`, -1) WHERE `symbol` GLOB '*-[A-Z]';--> statement-breakpoint
UPDATE OR IGNORE `profiles` SET `symbol` = substr(`symbol`, 1, length(`symbol`) - 2) || '.' || substr(`symbol`, -1) WHERE `symbol` GLOB '*-[A-Z]';--> statement-breakpoint
UPDATE OR IGNORE `feature_states` SET `symbol` = substr(`symbol`, 1, length(`symbol`) - 2) || '.' || substr(`symbol`, -1) WHERE `symbol` GLOB '*-[A-Z]';--> statement-breakpoint
UPDATE OR IGNORE `jobs` SET `symbol` = substr(`symbol`, 1, length(`symbol`) - 2) || '.' || substr(`symbol`, -1) WHERE `symbol` GLOB '*-[A-Z]';--> statement-breakpoint
UPDATE OR IGNORE `corporate_actions` SET `symbol` = substr(`symbol`, 1, length(`symbol`) - 2) || '.' || substr(`symbol`, -1) WHERE `symbol` GLOB '*-[A-Z]';