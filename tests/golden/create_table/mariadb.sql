CREATE TABLE `orders` (
  `order_id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `user_id` int(11) NOT NULL,
  `status` enum('new','paid','sent') NOT NULL DEFAULT 'new',
  `total` decimal(10,2) NOT NULL DEFAULT 0.00,
  `note` varchar(255) DEFAULT NULL,
  `created` datetime(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),
  PRIMARY KEY (`order_id`),
  KEY `user` (`user_id`,`created` DESC)
) ENGINE=InnoDB AUTO_INCREMENT=1000 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `order_items` (
  `order_id` bigint(20) unsigned NOT NULL,
  `line` smallint(6) NOT NULL,
  `sku` varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,
  `qty` int(10) unsigned NOT NULL DEFAULT 1,
  PRIMARY KEY (`order_id`,`line`),
  UNIQUE KEY `sku` (`sku`,`order_id`),
  CONSTRAINT `items_order` FOREIGN KEY (`order_id`) REFERENCES `orders` (`order_id`) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ints` (
  `a` tinyint(4) DEFAULT NULL,
  `b` smallint(5) unsigned DEFAULT NULL,
  `c` mediumint(8) unsigned zerofill DEFAULT NULL,
  `d` int(5) unsigned zerofill DEFAULT NULL,
  `e` bigint(20) DEFAULT NULL,
  `f` tinyint(1) DEFAULT NULL,
  `g` bit(1) DEFAULT NULL,
  `h` bit(17) DEFAULT NULL,
  `i` year(4) DEFAULT NULL,
  `j` tinyint(1) unsigned DEFAULT NULL,
  `k` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  UNIQUE KEY `k` (`k`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `reals` (
  `a` float DEFAULT NULL,
  `b` double DEFAULT NULL,
  `c` float(7,3) unsigned DEFAULT NULL,
  `d` double(12,4) DEFAULT NULL,
  `e` decimal(10,0) DEFAULT NULL,
  `f` decimal(65,30) DEFAULT NULL,
  `g` decimal(5,0) unsigned zerofill DEFAULT NULL,
  `h` double DEFAULT NULL,
  `i` double DEFAULT -1500
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `times` (
  `a` date DEFAULT NULL,
  `b` time DEFAULT NULL,
  `c` time(3) DEFAULT NULL,
  `d` datetime DEFAULT NULL,
  `e` datetime(6) DEFAULT NULL,
  `f` timestamp NULL DEFAULT NULL,
  `g` timestamp(2) NULL DEFAULT NULL,
  `h` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `i` date NOT NULL DEFAULT '2000-01-01'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `texts` (
  `a` char(3) DEFAULT NULL,
  `b` varchar(20) DEFAULT NULL,
  `c` tinytext DEFAULT NULL,
  `d` text DEFAULT NULL,
  `e` mediumtext DEFAULT NULL,
  `f` longtext DEFAULT NULL,
  `g` char(0) DEFAULT NULL,
  `h` varchar(10) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'x',
  `i` text CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `j` varchar(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `k` char(5) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `bytes` (
  `a` binary(16) DEFAULT NULL,
  `b` varbinary(20) DEFAULT 'a\0b',
  `c` tinyblob DEFAULT NULL,
  `d` blob DEFAULT NULL,
  `e` mediumblob DEFAULT NULL,
  `f` longblob DEFAULT NULL,
  `g` binary(4) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `enums` (
  `a` enum('x','y''z','back\\slash','with,comma','with)paren','line\nbreak','') DEFAULT NULL,
  `b` set('a','b','ü') DEFAULT NULL,
  `c` enum('q') CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,
  `d` set('one two','`tick`') DEFAULT 'one two'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `latin` (
  `a` varchar(10) DEFAULT NULL,
  `b` text CHARACTER SET latin1 COLLATE latin1_german2_ci DEFAULT NULL,
  `c` varchar(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;

CREATE TABLE `we``ird, (name)` (
  `col``umn` int(11) NOT NULL,
  `a,b` int(11) NOT NULL,
  `PRIMARY` int(11) DEFAULT NULL,
  `key` int(11) DEFAULT NULL,
  `größe` int(11) DEFAULT NULL,
  ` x` int(11) DEFAULT NULL,
  PRIMARY KEY (`a,b`,`col``umn`),
  UNIQUE KEY `u``k` (`PRIMARY`,`key`),
  KEY `k)` (`größe`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `nokey` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `uniques` (
  `a` int(11) NOT NULL,
  `b` varchar(300) DEFAULT NULL,
  `c` int(11) DEFAULT NULL,
  UNIQUE KEY `one` (`a`),
  UNIQUE KEY `two` (`c`,`a`) USING BTREE COMMENT 'a, (comment)',
  UNIQUE KEY `prefix` (`b`(10)),
  KEY `plain` (`c`),
  FULLTEXT KEY `ft` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `computed` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) GENERATED ALWAYS AS (`a` + 1) VIRTUAL,
  `c` int(11) GENERATED ALWAYS AS (`a` * 2) STORED,
  `d` varchar(40) GENERATED ALWAYS AS (concat(`a`,' NOT NULL, `x` ')) VIRTUAL,
  UNIQUE KEY `c` (`c`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `defaults` (
  `a` varchar(40) DEFAULT 'NOT NULL, PRIMARY KEY (`a`)',
  `b` varchar(10) DEFAULT NULL,
  `c` int(11) DEFAULT 5,
  `d` bit(3) DEFAULT b'101',
  `e` varchar(10) DEFAULT '',
  `f` varchar(10) DEFAULT 'it''s',
  `g` int(11) NOT NULL COMMENT 'NULL, it''s (a) `comment`',
  `h` varchar(10) NOT NULL DEFAULT 'UNSIGNED',
  `i` int(11) DEFAULT (1 + 2 * 3),
  `j` varchar(40) DEFAULT concat('a)',','),
  `k` date DEFAULT curdate()
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `invisible` (
  `a` int(11) NOT NULL,
  `b` int(11) INVISIBLE DEFAULT NULL,
  `c` int(11) NOT NULL INVISIBLE DEFAULT 1,
  `d` int(11) DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `parents` (
  `id` int(11) NOT NULL,
  `a` int(11) NOT NULL,
  `b` int(11) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `ab` (`a`,`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `children` (
  `id` int(11) NOT NULL,
  `p` int(11) DEFAULT NULL,
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL,
  `q` int(11) DEFAULT NULL,
  `r` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `c_null` (`p`),
  KEY `c_pair` (`a`,`b`),
  KEY `c_no` (`q`),
  KEY `r` (`r`),
  CONSTRAINT `c_no` FOREIGN KEY (`q`) REFERENCES `parents` (`id`) ON DELETE NO ACTION,
  CONSTRAINT `c_null` FOREIGN KEY (`p`) REFERENCES `parents` (`id`) ON DELETE SET NULL,
  CONSTRAINT `c_pair` FOREIGN KEY (`a`, `b`) REFERENCES `parents` (`a`, `b`) ON UPDATE CASCADE,
  CONSTRAINT `children_ibfk_1` FOREIGN KEY (`r`) REFERENCES `parents` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `other_db_child` (
  `id` int(11) NOT NULL,
  `p` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `fk ``x` (`p`),
  CONSTRAINT `fk ``x` FOREIGN KEY (`p`) REFERENCES `gold2`.`par``ent` (`id`) ON DELETE CASCADE ON UPDATE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `checks` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL CHECK (`b` > 0),
  `c` varchar(10) DEFAULT NULL,
  CONSTRAINT `positive` CHECK (`a` > 0 and `c` <> 'UNIQUE KEY (`a`)')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `p_range` (
  `a` int(11) NOT NULL,
  `b` date DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
 PARTITION BY RANGE (`a`)
(PARTITION `p0` VALUES LESS THAN (10) ENGINE = InnoDB,
 PARTITION `p1` VALUES LESS THAN MAXVALUE ENGINE = InnoDB);

CREATE TABLE `p_hash` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
 PARTITION BY HASH (`a`)
PARTITIONS 4;

CREATE TABLE `p_key_sub` (
  `a` int(11) NOT NULL,
  `b` date NOT NULL,
  PRIMARY KEY (`a`,`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='x'
 PARTITION BY RANGE  COLUMNS(`b`)
SUBPARTITION BY KEY (`a`)
SUBPARTITIONS 2
(PARTITION `p0` VALUES LESS THAN ('2020-01-01') ENGINE = InnoDB,
 PARTITION `p1` VALUES LESS THAN (MAXVALUE) ENGINE = InnoDB);

CREATE TABLE `options` (
  `a` int(11) NOT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_bin STATS_PERSISTENT=0 ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8 COMMENT='it''s PARTITION BY HASH (a)';

CREATE TABLE `memory_one` (
  `a` int(11) NOT NULL,
  `b` varchar(10) DEFAULT NULL,
  PRIMARY KEY (`a`),
  UNIQUE KEY `b` (`b`) USING HASH
) ENGINE=MEMORY DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `blackhole_like` (
  `a` int(11) DEFAULT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci CHECKSUM=1 DELAY_KEY_WRITE=1;

CREATE TABLE `geo` (
  `a` int(11) NOT NULL,
  `g` geometry NOT NULL,
  `p` point DEFAULT NULL,
  `l` linestring DEFAULT NULL,
  `y` polygon DEFAULT NULL,
  `mp` multipoint DEFAULT NULL,
  `ml` multilinestring DEFAULT NULL,
  `my` multipolygon DEFAULT NULL,
  `gc` geometrycollection DEFAULT NULL,
  PRIMARY KEY (`a`),
  SPATIAL KEY `sp` (`g`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `js` (
  `a` int(11) NOT NULL,
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`)),
  `k` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL CHECK (json_valid(`k`)),
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `prefixpk` (
  `a` varchar(100) NOT NULL,
  `b` text NOT NULL,
  PRIMARY KEY (`b`(20),`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `descpk` (
  `a` int(11) NOT NULL,
  `b` int(11) NOT NULL,
  PRIMARY KEY (`b` DESC,`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `national` (
  `a` char(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `b` varchar(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `c` char(5) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `commented` (
  `a` int(11) DEFAULT NULL COMMENT 'x'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='a\nb \\ ''q'' "d" ; -- # /* */ ';

CREATE TABLE `ma_types` (
  `a` uuid DEFAULT NULL,
  `b` inet6 NOT NULL,
  `c` inet4 DEFAULT NULL,
  `d` uuid DEFAULT uuid(),
  PRIMARY KEY (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_compressed` (
  `a` varchar(100) /*M!100301 COMPRESSED*/ DEFAULT NULL,
  `b` blob /*M!100301 COMPRESSED*/ NOT NULL DEFAULT '',
  `c` text /*M!100301 COMPRESSED*/ DEFAULT 'x',
  `d` longtext /*M!100301 COMPRESSED*/ CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_versioned` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL WITHOUT SYSTEM VERSIONING,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING;

CREATE TABLE `ma_versioned_explicit` (
  `a` int(11) NOT NULL,
  `s` timestamp(6) GENERATED ALWAYS AS ROW START,
  `e` timestamp(6) GENERATED ALWAYS AS ROW END,
  PRIMARY KEY (`a`,`e`),
  PERIOD FOR SYSTEM_TIME (`s`, `e`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING;

CREATE TABLE `ma_trx` (
  `a` int(11) NOT NULL,
  `s` bigint(20) unsigned GENERATED ALWAYS AS ROW START INVISIBLE,
  `e` bigint(20) unsigned GENERATED ALWAYS AS ROW END INVISIBLE,
  PRIMARY KEY (`a`,`e`),
  PERIOD FOR SYSTEM_TIME (`s`, `e`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING;

CREATE TABLE `ma_period` (
  `a` int(11) NOT NULL,
  `f` date NOT NULL,
  `t` date NOT NULL,
  PERIOD FOR `p` (`f`, `t`),
  UNIQUE KEY `u` (`a`,`p` WITHOUT OVERLAPS)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_sequence` (
  `a` int(11) DEFAULT nextval(`gold`.`seq`),
  `b` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_ignored` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`a`),
  UNIQUE KEY `k` (`b`) IGNORED
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_longunique` (
  `a` text DEFAULT NULL,
  UNIQUE KEY `a` (`a`) USING HASH
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_hash_part` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING
 PARTITION BY SYSTEM_TIME 
(PARTITION `p0` HISTORY ENGINE = InnoDB,
 PARTITION `pn` CURRENT ENGINE = InnoDB);

CREATE TABLE `ma_persistent` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) GENERATED ALWAYS AS (`a` + 1) STORED,
  `c` varchar(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci GENERATED ALWAYS AS ('x') VIRTUAL INVISIBLE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_aria` (
  `a` int(11) NOT NULL,
  PRIMARY KEY (`a`)
) ENGINE=Aria DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci PAGE_CHECKSUM=1 TRANSACTIONAL=1;

CREATE TABLE `ma_exprdef` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT (`a` + 1),
  `c` varchar(20) DEFAULT concat('x',`a`),
  `d` timestamp(3) NOT NULL DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `ma_uca` (
  `a` varchar(10) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci;
