-- The words of company names, for search as one types; the names themselves stay in `companies`.
CREATE VIRTUAL TABLE `company_names` USING fts5(`name`, content='companies', content_rowid='id', tokenize="unicode61 remove_diacritics 2", prefix='1 2 3');
--> statement-breakpoint
INSERT INTO `company_names`(`company_names`) VALUES ('rebuild');
--> statement-breakpoint
CREATE TRIGGER `companies_named` AFTER INSERT ON `companies` BEGIN
	INSERT INTO `company_names`(rowid, `name`) VALUES (new.`id`, new.`name`);
END;
--> statement-breakpoint
CREATE TRIGGER `companies_renamed` AFTER UPDATE OF `name` ON `companies` WHEN old.`name` <> new.`name` BEGIN
	INSERT INTO `company_names`(`company_names`, rowid, `name`) VALUES ('delete', old.`id`, old.`name`);
	INSERT INTO `company_names`(rowid, `name`) VALUES (new.`id`, new.`name`);
END;
--> statement-breakpoint
CREATE TRIGGER `companies_forgotten` AFTER DELETE ON `companies` BEGIN
	INSERT INTO `company_names`(`company_names`, rowid, `name`) VALUES ('delete', old.`id`, old.`name`);
END;
