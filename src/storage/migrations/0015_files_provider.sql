-- The provider `csv` is called `files`.
UPDATE `series` SET `provider` = 'files' WHERE `provider` = 'csv';--> statement-breakpoint
UPDATE `profiles` SET `provider` = 'files' WHERE `provider` = 'csv';--> statement-breakpoint
UPDATE `bar_sources` SET `provider` = 'files' WHERE `provider` = 'csv';--> statement-breakpoint
UPDATE `runs` SET `provider` = 'files' WHERE `provider` = 'csv';--> statement-breakpoint
UPDATE `runs` SET `repair_provider` = 'files' WHERE `repair_provider` = 'csv';--> statement-breakpoint
UPDATE `schedules` SET `provider` = 'files' WHERE `provider` = 'csv';
