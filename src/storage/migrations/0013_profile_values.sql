CREATE TABLE `feature_lists` (
	`id` integer PRIMARY KEY NOT NULL,
	`names` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `feature_lists_names` ON `feature_lists` (`names`);--> statement-breakpoint
-- By hand: the rows are moved in batches when a database is opened (src/storage/upgrade.ts), which drops the old tables.
ALTER TABLE `profiles` RENAME TO `old_profiles`;--> statement-breakpoint
ALTER TABLE `feature_states` RENAME TO `old_feature_states`;--> statement-breakpoint
CREATE TABLE `profiles` (
	`revision` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`symbol` text NOT NULL,
	`interval` text NOT NULL,
	`series_id` integer NOT NULL,
	`provider` text NOT NULL,
	`first_bar` integer NOT NULL,
	`last_bar` integer NOT NULL,
	`last_close` real NOT NULL,
	`feature_list_id` integer NOT NULL,
	`known_features` integer NOT NULL,
	`feature_values` blob NOT NULL,
	`catalog_version` text NOT NULL,
	`backfill` text NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`series_id`) REFERENCES `series`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`feature_list_id`) REFERENCES `feature_lists`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `profiles_key` ON `profiles` (`symbol`,`interval`);--> statement-breakpoint
CREATE INDEX `profiles_series` ON `profiles` (`series_id`);--> statement-breakpoint
CREATE TABLE `feature_states` (
	`symbol` text NOT NULL,
	`interval` text NOT NULL,
	`state` blob NOT NULL,
	PRIMARY KEY(`symbol`, `interval`)
);
--> statement-breakpoint
CREATE TRIGGER `profiles_changed` AFTER UPDATE ON `profiles` WHEN new.`revision` = old.`revision` BEGIN
	UPDATE `sqlite_sequence` SET `seq` = `seq` + 1 WHERE `name` = 'profiles';
	UPDATE `profiles` SET `revision` = (SELECT `seq` FROM `sqlite_sequence` WHERE `name` = 'profiles') WHERE `revision` = new.`revision`;
END;
