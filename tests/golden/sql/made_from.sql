CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE `other``s` CHARACTER SET latin1;
USE shop;
CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  `na;me` VARCHAR(20) NOT NULL DEFAULT ';; it''s "quoted" \\ ',
  state ENUM('new', 'p;aid', 'it''s') CHARACTER SET latin1,
  total DECIMAL(10, 2) GENERATED ALWAYS AS (1.5) VIRTUAL COMMENT '-- no comment; /* none */',
  PRIMARY KEY (id),
  UNIQUE KEY by_name (`na;me`)
);
INSERT INTO orders (`na;me`, state) VALUES ('a;b\nDELIMITER //\n', 'new'), ('\'', 'p;aid');
CREATE TABLE `größe` (id INT PRIMARY KEY, parent BIGINT UNSIGNED, FOREIGN KEY (parent) REFERENCES orders (id));
CREATE VIEW paid AS SELECT id, `na;me` FROM orders WHERE state = 'p;aid';
DELIMITER //
CREATE TRIGGER before_order BEFORE INSERT ON orders FOR EACH ROW
BEGIN
  SET @n = 1; -- a comment; in the body
  IF NEW.state IS NULL THEN SET NEW.state = 'new'; END IF;
END//
CREATE PROCEDURE remake() BEGIN DROP TABLE IF EXISTS orders; CREATE TABLE orders (id INT); END//
CREATE FUNCTION half(n INT) RETURNS INT DETERMINISTIC RETURN n / 2//
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE DO BEGIN DELETE FROM orders; DELETE FROM `größe`; END//
DELIMITER ;
USE `other``s`;
CREATE TABLE t (a CHAR(3), b TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
