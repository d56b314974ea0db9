DROP INDEX `runs_open`;--> statement-breakpoint
DROP INDEX `runs_by_time`;--> statement-breakpoint
CREATE INDEX `runs_by_state` ON `runs` (`state`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_mode` ON `runs` (`mode`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_interval` ON `runs` (`interval`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_provider` ON `runs` (`provider`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_time` ON `runs` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `jobs_by_symbol` ON `jobs` (`symbol`,`run_id`);