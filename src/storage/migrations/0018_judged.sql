CREATE TABLE `findings` (
	`series_id` integer NOT NULL,
	`kind` text NOT NULL,
	`date` integer NOT NULL,
	`ratio` real,
	`jump_date` integer,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`series_id`, `date`, `kind`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "findings_kind" CHECK("findings"."kind" in ('scale_change', 'split_without_jump', 'split_off_date', 'foreign_dividend'))
);
--> statement-breakpoint
CREATE TABLE `jump_bars` (
	`series_id` integer NOT NULL,
	`ts` integer NOT NULL,
	`open` real NOT NULL,
	`high` real NOT NULL,
	`low` real NOT NULL,
	`close` real NOT NULL,
	`volume` real,
	`run_id` text NOT NULL,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`series_id`, `ts`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `__new_corporate_actions` (
	`provider` text NOT NULL,
	`symbol` text NOT NULL,
	`kind` text NOT NULL,
	`date` integer NOT NULL,
	`value` real NOT NULL,
	`currency` text DEFAULT '' NOT NULL,
	`seen_at` integer NOT NULL,
	`replaced_at` integer,
	PRIMARY KEY(`provider`, `symbol`, `kind`, `date`, `value`, `currency`),
	CONSTRAINT "corporate_actions_kind" CHECK("__new_corporate_actions"."kind" in ('split', 'dividend')),
	CONSTRAINT "corporate_actions_value" CHECK("__new_corporate_actions"."value" > 0)
);
--> statement-breakpoint
-- By hand: no currency is an empty one.
INSERT INTO `__new_corporate_actions`("provider", "symbol", "kind", "date", "value", "currency", "seen_at") SELECT "provider", "symbol", "kind", "date", "value", coalesce("currency", ''), "seen_at" FROM `corporate_actions`;--> statement-breakpoint
DROP TABLE `corporate_actions`;--> statement-breakpoint
ALTER TABLE `__new_corporate_actions` RENAME TO `corporate_actions`;--> statement-breakpoint
ALTER TABLE `series` ADD `judged` integer DEFAULT 0 NOT NULL;
