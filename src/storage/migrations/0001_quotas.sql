CREATE TABLE `quotas` (
	`account` text NOT NULL,
	`period` text NOT NULL,
	`started_at` integer NOT NULL,
	`used` real NOT NULL,
	PRIMARY KEY(`account`, `period`)
);
