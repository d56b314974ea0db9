ALTER TABLE `jobs` ADD `gaps` integer;--> statement-breakpoint
ALTER TABLE `series` ADD `revised_at` integer;--> statement-breakpoint
ALTER TABLE `series` ADD `suspect_at` integer;