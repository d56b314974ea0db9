CREATE TABLE `health_changes` (
	`revision` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`series_id` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `health_changes_series` ON `health_changes` (`series_id`);--> statement-breakpoint
-- By hand. Each deletes and inserts: INSERT OR REPLACE would take the conflict clause of the statement that fires the trigger.
CREATE TRIGGER `gaps_found` AFTER INSERT ON `gaps` BEGIN
	DELETE FROM `health_changes` WHERE `series_id` = new.`series_id`;
	INSERT INTO `health_changes` (`series_id`) VALUES (new.`series_id`);
END;
--> statement-breakpoint
CREATE TRIGGER `gaps_changed` AFTER UPDATE OF `kind`, `answers` ON `gaps` WHEN new.`kind` <> old.`kind` OR new.`answers` <> old.`answers` BEGIN
	DELETE FROM `health_changes` WHERE `series_id` = new.`series_id`;
	INSERT INTO `health_changes` (`series_id`) VALUES (new.`series_id`);
END;
--> statement-breakpoint
CREATE TRIGGER `gaps_closed` AFTER DELETE ON `gaps` BEGIN
	DELETE FROM `health_changes` WHERE `series_id` = old.`series_id`;
	INSERT INTO `health_changes` (`series_id`) VALUES (old.`series_id`);
END;
--> statement-breakpoint
CREATE TRIGGER `findings_found` AFTER INSERT ON `findings` BEGIN
	DELETE FROM `health_changes` WHERE `series_id` = new.`series_id`;
	INSERT INTO `health_changes` (`series_id`) VALUES (new.`series_id`);
END;
--> statement-breakpoint
CREATE TRIGGER `findings_gone` AFTER DELETE ON `findings` BEGIN
	DELETE FROM `health_changes` WHERE `series_id` = old.`series_id`;
	INSERT INTO `health_changes` (`series_id`) VALUES (old.`series_id`);
END;
--> statement-breakpoint
CREATE TRIGGER `series_doubted` AFTER UPDATE OF `revised_at`, `suspect_at` ON `series` WHEN new.`revised_at` IS NOT old.`revised_at` OR new.`suspect_at` IS NOT old.`suspect_at` BEGIN
	DELETE FROM `health_changes` WHERE `series_id` = new.`id`;
	INSERT INTO `health_changes` (`series_id`) VALUES (new.`id`);
END;
--> statement-breakpoint
CREATE TRIGGER `series_gone` AFTER DELETE ON `series` WHEN old.`revised_at` IS NOT NULL OR old.`suspect_at` IS NOT NULL BEGIN
	DELETE FROM `health_changes` WHERE `series_id` = old.`id`;
	INSERT INTO `health_changes` (`series_id`) VALUES (old.`id`);
END;
