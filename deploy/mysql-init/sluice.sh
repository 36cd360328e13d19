# Run by the MySQL image at its first start: the shop's tables and the user that sluice logs in with.
MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql -u root <<SQL
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
CREATE TABLE IF NOT EXISTS shop.orders (
    order_id BIGINT NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL,
    status VARCHAR(20) NOT NULL DEFAULT 'new', amount DECIMAL(12,2) NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS shop.order_items (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT NOT NULL,
    product VARCHAR(50) NOT NULL, quantity INT NOT NULL DEFAULT 1, KEY (order_id));
CREATE USER IF NOT EXISTS 'sluice'@'%' IDENTIFIED BY '$(cat /run/secrets/mysql_sluice)';
GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO 'sluice'@'%';
SQL
