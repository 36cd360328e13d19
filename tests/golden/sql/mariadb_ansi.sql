/*M!999999\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------
-- Server version	10.11.19-MariaDB-0+deb12u1-log
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ANSI' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table "größe"
--

DROP TABLE IF EXISTS "größe";
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE "grÃ¶ÃŸe" (
  "id" int(11) NOT NULL,
  "parent" bigint(20) unsigned DEFAULT NULL,
  PRIMARY KEY ("id"),
  KEY "parent" ("parent"),
  CONSTRAINT "grÃ¶ÃŸe_ibfk_1" FOREIGN KEY ("parent") REFERENCES "orders" ("id")
);
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Table structure for table "orders"
--

DROP TABLE IF EXISTS "orders";
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE "orders" (
  "id" bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  "na;me" varchar(20) NOT NULL DEFAULT ';; it''s "quoted" \\ ',
  "state" enum('new','p;aid','it''s') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  "total" decimal(10,2) GENERATED ALWAYS AS (1.5) VIRTUAL COMMENT '-- no comment; /* none */',
  PRIMARY KEY ("id"),
  UNIQUE KEY "by_name" ("na;me")
);
/*!40101 SET character_set_client = @saved_cs_client */;
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET @saved_cs_results     = @@character_set_results */ ;
/*!50003 SET @saved_col_connection = @@collation_connection */ ;
/*!50003 SET character_set_client  = utf8mb4 */ ;
/*!50003 SET character_set_results = utf8mb4 */ ;
/*!50003 SET collation_connection  = utf8mb4_general_ci */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER before_order BEFORE INSERT ON orders FOR EACH ROW
BEGIN
  SET @n = 1; 
  IF NEW.state IS NULL THEN SET NEW.state = 'new'; END IF;
END 
*/;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50003 SET character_set_results = @saved_cs_results */ ;
/*!50003 SET collation_connection  = @saved_col_connection */ ;

--
-- Temporary table structure for view "paid"
--

DROP TABLE IF EXISTS "paid";
/*!50001 DROP VIEW IF EXISTS "paid"*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW "paid" AS SELECT
 NULL AS "id",
 NULL AS "na;me" */;
SET character_set_client = @saved_cs_client;

--
-- Final view structure for view "paid"
--

/*!50001 DROP VIEW IF EXISTS "paid"*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE VIEW "paid" AS select "orders"."id" AS "id","orders"."na;me" AS "na;me" from "orders" where "orders"."state" = 'p;aid' */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed
