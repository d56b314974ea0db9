CREATE TABLE `snapshots` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`sha256` text NOT NULL,
	`rows` integer NOT NULL,
	`files` text NOT NULL,
	`request` text NOT NULL,
	`symbols` text NOT NULL,
	`missing` text NOT NULL,
	`version` text NOT NULL,
	`catalog_version` text NOT NULL,
	`calendar_version` text NOT NULL,
	`created_at` integer NOT NULL,
	`deleted_at` integer,
	`deleted_reason` text
);
