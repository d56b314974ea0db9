CREATE TABLE `company_lists` (
	`provider` text NOT NULL,
	`exchange` text NOT NULL,
	`companies` integer NOT NULL,
	`fetched_at` integer NOT NULL,
	PRIMARY KEY(`provider`, `exchange`)
);
--> statement-breakpoint
CREATE TABLE `watchlist_symbols` (
	`watchlist_id` integer NOT NULL,
	`symbol` text NOT NULL,
	PRIMARY KEY(`watchlist_id`, `symbol`),
	FOREIGN KEY (`watchlist_id`) REFERENCES `watchlists`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `watchlists` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `watchlists_name` ON `watchlists` (lower("name"));--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_companies` (
	`id` integer PRIMARY KEY NOT NULL,
	`symbol` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`exchange` text DEFAULT '' NOT NULL,
	`source` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_companies`("symbol", "name", "exchange", "source", "updated_at") SELECT "symbol", "name", "exchange", "source", "updated_at" FROM `companies`;--> statement-breakpoint
DROP TABLE `companies`;--> statement-breakpoint
ALTER TABLE `__new_companies` RENAME TO `companies`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE UNIQUE INDEX `companies_symbol_unique` ON `companies` (`symbol`);