PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_tokens` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`scope` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	`expires_at` integer,
	CONSTRAINT "tokens_scope" CHECK("__new_tokens"."scope" in ('read', 'operate', 'admin', 'worker'))
);
--> statement-breakpoint
INSERT INTO `__new_tokens`("id", "name", "hash", "scope", "created_at", "last_used_at", "expires_at") SELECT "id", "name", "hash", "scope", "created_at", "last_used_at", "expires_at" FROM `tokens`;--> statement-breakpoint
DROP TABLE `tokens`;--> statement-breakpoint
ALTER TABLE `__new_tokens` RENAME TO `tokens`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash_unique` ON `tokens` (`hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_name` ON `tokens` (lower("name"));--> statement-breakpoint
ALTER TABLE `jobs` ADD `attempt` text;