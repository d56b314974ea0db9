ALTER TABLE `series` ADD `kept_from` integer;--> statement-breakpoint
ALTER TABLE `series` ADD `pruned_at` integer;--> statement-breakpoint
ALTER TABLE `series` ADD `is_pruning` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `series_pruning` ON `series` (`is_pruning`) WHERE is_pruning = 1;