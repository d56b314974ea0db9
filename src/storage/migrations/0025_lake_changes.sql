CREATE TABLE `lake_changes` (
	`bars_id` integer NOT NULL,
	`year` integer NOT NULL,
	`changes` integer NOT NULL,
	PRIMARY KEY(`bars_id`, `year`)
);
