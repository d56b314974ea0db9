CREATE TABLE `__new_gaps` (
	`series_id` integer NOT NULL,
	`date` integer NOT NULL,
	`kind` text NOT NULL,
	`rows` integer NOT NULL,
	`opens` integer,
	`closes` integer,
	`holes` text DEFAULT '[]' NOT NULL,
	`answers` integer DEFAULT 0 NOT NULL,
	`run_id` text,
	PRIMARY KEY(`series_id`, `date`),
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "gaps_kind" CHECK("__new_gaps"."kind" in ('missing', 'truncated', 'hole', 'sparse', 'outside'))
);
--> statement-breakpoint
INSERT INTO `__new_gaps`("series_id", "date", "kind", "rows", "answers", "run_id") SELECT "series_id", "date", "kind", "rows", "answers", "run_id" FROM `gaps`;--> statement-breakpoint
DROP TABLE `gaps`;--> statement-breakpoint
ALTER TABLE `__new_gaps` RENAME TO `gaps`;--> statement-breakpoint
ALTER TABLE `mails` ADD `later` text;--> statement-breakpoint
ALTER TABLE `mails` ADD `refused` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `series` ADD `gap_rules` integer DEFAULT 0 NOT NULL;