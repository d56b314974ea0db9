ALTER TABLE `series` ADD `bars_id` integer;--> statement-breakpoint
ALTER TABLE `series` ADD `retired_kind` text;--> statement-breakpoint
ALTER TABLE `series` ADD `retired_at` integer;--> statement-breakpoint
CREATE INDEX `series_staging` ON `series` (`staging_for`);