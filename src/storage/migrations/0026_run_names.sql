ALTER TABLE `jobs` ADD `first_at` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `name` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `dated` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `acknowledged_at` integer;--> statement-breakpoint
-- Whether somebody has seen the earlier failures is unknown: they count as acknowledged.
UPDATE `runs` SET `acknowledged_at` = coalesce(`finished_at`, `created_at`) WHERE `state` = 'failed';
