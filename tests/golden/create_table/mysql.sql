CREATE TABLE `orders` (
  `order_id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `user_id` int NOT NULL,
  `status` enum('new','paid','sent') NOT NULL DEFAULT 'new',
  `total` decimal(10,2) NOT NULL DEFAULT '0.00',
  `note` varchar(255) DEFAULT NULL,
  `created` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (`order_id`),
  KEY `user` (`user_id`,`created` DESC)
) ENGINE=InnoDB AUTO_INCREMENT=1000 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `order_items` (
  `order_id` bigint unsigned NOT NULL,
  `line` smallint NOT NULL,
  `sku` varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,
  `qty` int unsigned NOT NULL DEFAULT '1',
  PRIMARY KEY (`order_id`,`line`),
  UNIQUE KEY `sku` (`sku`,`order_id`),
  CONSTRAINT `items_order` FOREIGN KEY (`order_id`) REFERENCES `orders` (`order_id`) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `ints` (
  `a` tinyint DEFAULT NULL,
  `b` smallint unsigned DEFAULT NULL,
  `c` mediumint(8) unsigned zerofill DEFAULT NULL,
  `d` int(5) unsigned zerofill DEFAULT NULL,
  `e` bigint DEFAULT NULL,
  `f` tinyint(1) DEFAULT NULL,
  `g` bit(1) DEFAULT NULL,
  `h` bit(17) DEFAULT NULL,
  `i` year DEFAULT NULL,
  `j` tinyint unsigned DEFAULT NULL,
  `k` bigint unsigned NOT NULL AUTO_INCREMENT,
  UNIQUE KEY `k` (`k`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `reals` (
  `a` float DEFAULT NULL,
  `b` double DEFAULT NULL,
  `c` float(7,3) unsigned DEFAULT NULL,
  `d` double(12,4) DEFAULT NULL,
  `e` decimal(10,0) DEFAULT NULL,
  `f` decimal(65,30) DEFAULT NULL,
  `g` decimal(5,0) unsigned zerofill DEFAULT NULL,
  `h` double DEFAULT NULL,
  `i` double DEFAULT '-1500'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `times` (
  `a` date DEFAULT NULL,
  `b` time DEFAULT NULL,
  `c` time(3) DEFAULT NULL,
  `d` datetime DEFAULT NULL,
  `e` datetime(6) DEFAULT NULL,
  `f` timestamp NULL DEFAULT NULL,
  `g` timestamp(2) NULL DEFAULT NULL,
  `h` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  `i` date NOT NULL DEFAULT '2000-01-01'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `texts` (
  `a` char(3) DEFAULT NULL,
  `b` varchar(20) DEFAULT NULL,
  `c` tinytext,
  `d` text,
  `e` mediumtext,
  `f` longtext,
  `g` char(0) DEFAULT NULL,
  `h` varchar(10) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'x',
  `i` text CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci,
  `j` varchar(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `k` char(5) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `bytes` (
  `a` binary(16) DEFAULT NULL,
  `b` varbinary(20) DEFAULT 'a\0b',
  `c` tinyblob,
  `d` blob,
  `e` mediumblob,
  `f` longblob,
  `g` binary(4) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `enums` (
  `a` enum('x','y''z','back\\slash','with,comma','with)paren','line\nbreak','') DEFAULT NULL,
  `b` set('a','b','ü') DEFAULT NULL,
  `c` enum('q') CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,
  `d` set('one two','`tick`') DEFAULT 'one two'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `latin` (
  `a` varchar(10) DEFAULT NULL,
  `b` text CHARACTER SET latin1 COLLATE latin1_german2_ci,
  `c` varchar(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1;

CREATE TABLE `we``ird, (name)` (
  `col``umn` int NOT NULL,
  `a,b` int NOT NULL,
  `PRIMARY` int DEFAULT NULL,
  `key` int DEFAULT NULL,
  `größe` int DEFAULT NULL,
  ` x` int DEFAULT NULL,
  PRIMARY KEY (`a,b`,`col``umn`),
  UNIQUE KEY `u``k` (`PRIMARY`,`key`),
  KEY `k)` (`größe`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `nokey` (
  `a` int DEFAULT NULL,
  `b` int DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `uniques` (
  `a` int NOT NULL,
  `b` varchar(300) DEFAULT NULL,
  `c` int DEFAULT NULL,
  UNIQUE KEY `one` (`a`),
  UNIQUE KEY `two` (`c`,`a`) USING BTREE COMMENT 'a, (comment)',
  UNIQUE KEY `prefix` (`b`(10)),
  KEY `plain` (`c`),
  FULLTEXT KEY `ft` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `computed` (
  `a` int DEFAULT NULL,
  `b` int GENERATED ALWAYS AS ((`a` + 1)) VIRTUAL,
  `c` int GENERATED ALWAYS AS ((`a` * 2)) STORED,
  `d` varchar(40) GENERATED ALWAYS AS (concat(`a`,_utf8mb4' NOT NULL, `x` ')) VIRTUAL,
  UNIQUE KEY `c` (`c`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `defaults` (
  `a` varchar(40) DEFAULT 'NOT NULL, PRIMARY KEY (`a`)',
  `b` varchar(10) DEFAULT NULL,
  `c` int DEFAULT '5',
  `d` bit(3) DEFAULT b'101',
  `e` varchar(10) DEFAULT '',
  `f` varchar(10) DEFAULT 'it''s',
  `g` int NOT NULL COMMENT 'NULL, it''s (a) `comment`',
  `h` varchar(10) NOT NULL DEFAULT 'UNSIGNED',
  `i` int DEFAULT ((1 + (2 * 3))),
  `j` varchar(40) DEFAULT (concat(_utf8mb4'a)',_utf8mb4',')),
  `k` date DEFAULT (curdate())
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `invisible` (
  `a` int NOT NULL,
  `b` int DEFAULT NULL /*!80023 INVISIBLE */,
  `c` int NOT NULL DEFAULT '1' /*!80023 INVISIBLE */,
  `d` int DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `parents` (
  `id` int NOT NULL,
  `a` int NOT NULL,
  `b` int NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `ab` (`a`,`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `children` (
  `id` int NOT NULL,
  `p` int DEFAULT NULL,
  `a` int DEFAULT NULL,
  `b` int DEFAULT NULL,
  `q` int DEFAULT NULL,
  `r` int DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `c_null` (`p`),
  KEY `c_pair` (`a`,`b`),
  KEY `c_no` (`q`),
  KEY `r` (`r`),
  CONSTRAINT `c_no` FOREIGN KEY (`q`) REFERENCES `parents` (`id`) ON UPDATE RESTRICT,
  CONSTRAINT `c_null` FOREIGN KEY (`p`) REFERENCES `parents` (`id`) ON DELETE SET NULL,
  CONSTRAINT `c_pair` FOREIGN KEY (`a`, `b`) REFERENCES `parents` (`a`, `b`) ON UPDATE CASCADE,
  CONSTRAINT `children_ibfk_1` FOREIGN KEY (`r`) REFERENCES `parents` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `other_db_child` (
  `id` int NOT NULL,
  `p` int DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `fk ``x` (`p`),
  CONSTRAINT `fk ``x` FOREIGN KEY (`p`) REFERENCES `gold2`.`par``ent` (`id`) ON DELETE CASCADE ON UPDATE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `checks` (
  `a` int DEFAULT NULL,
  `b` int DEFAULT NULL,
  `c` varchar(10) DEFAULT NULL,
  CONSTRAINT `checks_chk_1` CHECK ((`b` > 0)),
  CONSTRAINT `positive` CHECK (((`a` > 0) and (`c` <> _utf8mb4'UNIQUE KEY (`a`)')))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `p_range` (
  `a` int NOT NULL,
  `b` date DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
/*!50100 PARTITION BY RANGE (`a`)
(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */;

CREATE TABLE `p_hash` (
  `a` int NOT NULL,
  `b` int DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
/*!50100 PARTITION BY HASH (`a`)
PARTITIONS 4 */;

CREATE TABLE `p_key_sub` (
  `a` int NOT NULL,
  `b` date NOT NULL,
  PRIMARY KEY (`a`,`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='x'
/*!50500 PARTITION BY RANGE  COLUMNS(b)
SUBPARTITION BY KEY (a)
SUBPARTITIONS 2
(PARTITION p0 VALUES LESS THAN ('2020-01-01') ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN (MAXVALUE) ENGINE = InnoDB) */;

CREATE TABLE `options` (
  `a` int NOT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_bin STATS_PERSISTENT=0 ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8 COMMENT='it''s PARTITION BY HASH (a)';

CREATE TABLE `memory_one` (
  `a` int NOT NULL,
  `b` varchar(10) DEFAULT NULL,
  PRIMARY KEY (`a`),
  UNIQUE KEY `b` (`b`) USING HASH
) ENGINE=MEMORY DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `blackhole_like` (
  `a` int DEFAULT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci CHECKSUM=1 DELAY_KEY_WRITE=1;

CREATE TABLE `geo` (
  `a` int NOT NULL,
  `g` geometry NOT NULL,
  `p` point DEFAULT NULL,
  `l` linestring DEFAULT NULL,
  `y` polygon DEFAULT NULL,
  `mp` multipoint DEFAULT NULL,
  `ml` multilinestring DEFAULT NULL,
  `my` multipolygon DEFAULT NULL,
  `gc` geomcollection DEFAULT NULL,
  PRIMARY KEY (`a`),
  SPATIAL KEY `sp` (`g`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `js` (
  `a` int NOT NULL,
  `j` json DEFAULT NULL,
  `k` json NOT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `prefixpk` (
  `a` varchar(100) NOT NULL,
  `b` text NOT NULL,
  PRIMARY KEY (`b`(20),`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `descpk` (
  `a` int NOT NULL,
  `b` int NOT NULL,
  PRIMARY KEY (`b` DESC,`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `national` (
  `a` char(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `b` varchar(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `c` char(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `commented` (
  `a` int DEFAULT NULL COMMENT 'x'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='a\nb \\ ''q'' "d" ; -- # /* */ ';

CREATE TABLE `my_invisible_index` (
  `a` int NOT NULL,
  `b` int DEFAULT NULL,
  PRIMARY KEY (`a`),
  UNIQUE KEY `k` (`b`) /*!80000 INVISIBLE */
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_functional` (
  `a` int NOT NULL,
  `b` varchar(20) DEFAULT NULL,
  PRIMARY KEY (`a`),
  UNIQUE KEY `f` ((lower(`b`))),
  UNIQUE KEY `g` (`a`,((`b` + 1))),
  KEY `h` (((`a` + 1)) DESC)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_srid` (
  `a` int NOT NULL,
  `p` point NOT NULL /*!80003 SRID 4326 */,
  PRIMARY KEY (`a`),
  SPATIAL KEY `p` (`p`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_check` (
  `a` int DEFAULT NULL,
  CONSTRAINT `c` CHECK ((`a` > 0)) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_storage` (
  `a` int /*!50606 STORAGE DISK */ DEFAULT NULL,
  `b` int /*!50606 COLUMN_FORMAT DYNAMIC */ DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_0900` (
  `a` varchar(10) DEFAULT NULL,
  `b` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs DEFAULT NULL,
  `c` char(3) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_multi` (
  `a` int NOT NULL,
  `j` json DEFAULT NULL,
  PRIMARY KEY (`a`),
  KEY `m` ((cast(json_extract(`j`,_utf8mb4'$.x') as unsigned array)))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_bindef` (
  `a` binary(3) DEFAULT 'abc',
  `b` varbinary(4) DEFAULT 0x61FF62
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_gipk` (
  `my_row_id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */,
  `a` int DEFAULT NULL,
  `b` int DEFAULT NULL,
  PRIMARY KEY (`my_row_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;

CREATE TABLE `my_vector` (
  `a` int NOT NULL,
  `v` vector(3) DEFAULT NULL,
  `w` vector(2048) NOT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
