"""What becomes of a service when its brokers or its topic do what they should not."""

import pytest

from kafka_topics import create_topic, delete_topic, read_topic, size_of, topics
from sluice import FINE, stopped_with, wait_until
from test_kafka_sink import DELIVERIES, PARTITIONS, Load, begin, check_topic, config  # noqa: F401 (a fixture)

pytestmark = pytest.mark.ci_flavors("mariadb")

MB = 1 << 20


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_brokers_that_are_down_for_long_cost_no_memory(
    db, new_kafka, sluice, rng, full, flavor, begin, delivery, record_property  # noqa: F811
):
    """60 s at full size, else 5. Rows come meanwhile, more than the lanes hold."""
    topic, kafka = f"down-{flavor}", new_kafka()
    create_topic(kafka, topic, PARTITIONS)
    settings = {**config(db, kafka, topic, begin, delivery=delivery, timeout_ms="1s"), "buffer_bytes": "1MiB"}
    driver = sluice(settings).start()
    Load(db, rng, 150).finish()
    wait_until(lambda: size_of(kafka, topic) > 0, driver.tail, every_s=0.1)
    before = driver.memory()[0]
    kafka.kill()
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
    for _ in range(10):
        db.script(
            [f"INSERT INTO order_items (order_id, product) {numbers} SELECT i % 60, REPEAT('p', 40) FROM n"], "shop"
        )
    driver.wait_log(err="sink_down")
    with pytest.raises(TimeoutError):
        wait_until(lambda: not driver.alive(), "an outage", 60 if full else 5, 0.5)
    peak = driver.memory()[1]
    kafka.start()
    repeats = check_topic(driver, db, kafka, topic, begin)[1]
    record_property("memory", {"before": before, "peak": peak, "repeats": repeats})
    print(f"down: {delivery} before {before / MB:.1f}, peak {peak / MB:.1f} MiB, {repeats} repeats")
    assert peak - before < 34 * MB
    assert delivery == "at_least_once" or repeats == 0
    assert driver.stop() == FINE


def test_row_that_the_topic_refuses_as_too_large_stops(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"large-{flavor}"
    create_topic(kafka, topic, PARTITIONS, max_message_bytes=2000)
    driver = sluice(config(db, kafka, topic, begin, properties=["batch.size=1500", "compression.type=none"])).start()
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (1, 1)"], "shop")
    wait_until(lambda: len(read_topic(kafka, topic)) == 1, driver.tail, every_s=0.2)
    db.script(["ALTER TABLE orders MODIFY note TEXT",
               "INSERT INTO orders (order_id, user_id, note) VALUES (2, 1, REPEAT('x', 9000))"], "shop")
    line = stopped_with(driver, "kafka_too_large")
    assert topic in line["text"] and "shop.orders" in line["text"], line
    assert len(read_topic(kafka, topic)) == 1


def test_topic_that_is_deleted_under_a_service_stops_it(db, kafka, sluice, flavor, begin):  # noqa: F811
    topic = f"deleted-{flavor}"
    create_topic(kafka, topic, PARTITIONS)
    driver = sluice(config(db, kafka, topic, begin, properties=["topic.metadata.refresh.interval.ms=500"])).start()
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (1, 1)"], "shop")
    wait_until(lambda: len(read_topic(kafka, topic)) == 1, driver.tail, every_s=0.2)
    delete_topic(kafka, topic)
    db.script(["INSERT INTO orders (order_id, user_id) VALUES (2, 1)"], "shop")
    assert topic in stopped_with(driver, "kafka_topic_missing")["text"] and topic not in topics(kafka)
