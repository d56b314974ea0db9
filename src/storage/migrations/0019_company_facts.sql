ALTER TABLE `companies` ADD `type` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `currency` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `country` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `sector` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `industry` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `listed_on` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `delisted_on` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `isin` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `figi` text;--> statement-breakpoint
ALTER TABLE `companies` ADD `origins` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX `companies_by_update` ON `companies` (`updated_at`);--> statement-breakpoint
CREATE INDEX `companies_by_exchange` ON `companies` (`exchange`);--> statement-breakpoint
CREATE INDEX `companies_by_type` ON `companies` (`type`);--> statement-breakpoint
CREATE INDEX `companies_by_currency` ON `companies` (`currency`);--> statement-breakpoint
CREATE INDEX `companies_by_country` ON `companies` (`country`);--> statement-breakpoint
CREATE INDEX `companies_by_sector` ON `companies` (`sector`);--> statement-breakpoint
CREATE INDEX `companies_by_industry` ON `companies` (`industry`);