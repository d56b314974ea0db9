CREATE TABLE `bar_revisions` (
	`series_id` integer NOT NULL,
	`ts` integer NOT NULL,
	`seen_at` integer NOT NULL,
	`run_id` text NOT NULL,
	`kind` text NOT NULL,
	`open` real NOT NULL,
	`high` real NOT NULL,
	`low` real NOT NULL,
	`close` real NOT NULL,
	`volume` real NOT NULL,
	PRIMARY KEY(`series_id`, `ts`, `seen_at`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "bar_revisions_kind" CHECK("bar_revisions"."kind" in ('split', 'dividend', 'correction', 'withdrawn', 'rebuild'))
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER bar_revisions_append_only BEFORE UPDATE ON bar_revisions
BEGIN
  SELECT RAISE(ABORT, 'bar_revisions is only ever appended to');
END;
--> statement-breakpoint
CREATE TABLE `bar_sources` (
	`series_id` integer NOT NULL,
	`ts` integer NOT NULL,
	`provider` text NOT NULL,
	`run_id` text NOT NULL,
	PRIMARY KEY(`series_id`, `ts`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `corporate_actions` (
	`provider` text NOT NULL,
	`symbol` text NOT NULL,
	`kind` text NOT NULL,
	`date` integer NOT NULL,
	`value` real NOT NULL,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`provider`, `symbol`, `kind`, `date`),
	CONSTRAINT "corporate_actions_kind" CHECK("corporate_actions"."kind" in ('split', 'dividend')),
	CONSTRAINT "corporate_actions_value" CHECK("corporate_actions"."value" > 0)
);
--> statement-breakpoint
CREATE TABLE `gaps` (
	`series_id` integer NOT NULL,
	`date` integer NOT NULL,
	`kind` text NOT NULL,
	`rows` integer NOT NULL,
	`answers` integer DEFAULT 0 NOT NULL,
	`run_id` text,
	PRIMARY KEY(`series_id`, `date`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "gaps_kind" CHECK("gaps"."kind" in ('missing', 'truncated', 'sparse', 'outside'))
);
--> statement-breakpoint
DROP INDEX `series_key`;--> statement-breakpoint
ALTER TABLE `series` ADD `staging_for` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `series` ADD `staging_run` text;--> statement-breakpoint
ALTER TABLE `series` ADD `changed_from` integer;--> statement-breakpoint
ALTER TABLE `series` ADD `actions_run` text;--> statement-breakpoint
CREATE UNIQUE INDEX `series_key` ON `series` (`symbol`,`interval`,`provider`,`feed`,`adjustment`,`sessions`,`staging_for`);--> statement-breakpoint
ALTER TABLE `runs` ADD `rebuild` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `repair_provider` text;