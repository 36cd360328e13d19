CREATE TABLE shop.opt (id int unsigned NOT NULL, v varchar(20) DEFAULT NULL, t text, n decimal(5,2),
 PRIMARY KEY (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4