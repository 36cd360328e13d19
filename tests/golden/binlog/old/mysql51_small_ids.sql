CREATE TABLE `old` (
  `id` int(10) unsigned NOT NULL,
  `t` tinyint(4) DEFAULT NULL,
  `d` decimal(10,3) DEFAULT NULL,
  `c` char(5) CHARACTER SET latin1 DEFAULT NULL,
  `v` varchar(300) CHARACTER SET utf8 DEFAULT NULL,
  `bl` blob,
  `e` enum('new','paid') CHARACTER SET latin1 DEFAULT NULL,
  `s` set('x','y','z') CHARACTER SET latin1 DEFAULT NULL,
  `y` year(4) DEFAULT NULL,
  `dt` datetime DEFAULT NULL,
  `ts` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `tm` time DEFAULT NULL,
  `da` date DEFAULT NULL,
  `f` float DEFAULT NULL,
  `b` bit(10) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8
