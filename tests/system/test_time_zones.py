"""No zone moves a value: neither the server's, nor a session's, nor that of the machine where sluice runs."""

import calendar
import datetime
import shutil
import subprocess
import time
import zoneinfo

import pytest

from sluice import at, source_of

ZONEINFO = "/usr/share/zoneinfo"
# Half hours, a shift of half an hour in summer, days that are skipped, the date line, summer in winter.
NAMED = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca",
         "Europe/Dublin", "America/St_Johns"]
OFFSETS = ["+00:00", "-12:59", "+05:45", "+13:00"]
MACHINES = [None, "UTC", "Asia/Tokyo", "America/St_Johns", ":/no/such/zone", "XYZ-13:45", "EST5EDT,M3.2.0,M11.1.0"]
EPOCH = datetime.datetime(1970, 1, 1)
LAST = (1 << 31) - 1


def load_zones(db):
    """Fills the server's tables of zones, as mysql_tzinfo_to_sql does."""
    tool = shutil.which("mariadb-tzinfo-to-sql") or shutil.which("mysql_tzinfo_to_sql")
    if not tool:
        pytest.skip("no mysql_tzinfo_to_sql here")
    for name in NAMED:
        text = subprocess.check_output([tool, f"{ZONEINFO}/{name}", name], text=True)
        statements = [part.strip() for part in text.split(";\n")]
        db.script([part for part in statements if part.startswith(("INSERT", "SET @time_zone_id"))], "mysql")


def transitions(name):
    """Seconds at which the zone's offset changes."""
    zone = zoneinfo.ZoneInfo(name)

    def offset(second):
        return datetime.datetime.fromtimestamp(second, zone).utcoffset()

    found, step = [], 86400 * 20
    for begin in range(1, LAST - step, step):
        low, high = begin, begin + step
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append(high)
    return found


def in_utc(micros, digits=6):
    """sluice's form of a TIMESTAMP(digits); 0 is the zero timestamp, which what is out of range becomes."""
    if micros is None:
        return None
    if micros == 0:
        return "0000-00-00 00:00:00" + ".000000"[: digits + 1 if digits else 0]
    text =  (EPOCH + datetime.timedelta(microseconds=micros)).isoformat(timespec="microseconds")
    return (text if digits else text[:19]) + "Z"


def instants(rng, name, count):
    """Microseconds beside and between the zone's changes."""
    changes = transitions(name) or [LAST // 2]
    found = []
    for _ in range(count):
        second = rng.choice(changes) + rng.choice([-7200, -3601, -3600, -1800, -1, 0, 1, 1799, 1800, 3599, 3600, 7200])
        found.append(second * 1_000_000 + rng.choice([0, 1, 999_999, rng.randrange(1_000_000)]))
    return found + [1_000_000, LAST * 1_000_000 + 999_999, rng.randrange(1, LAST) * 1_000_000]


CREATE = (
    "CREATE TABLE shop.zones (id INT PRIMARY KEY AUTO_INCREMENT, given BIGINT NULL, stamp TIMESTAMP(6) NULL, "
    "whole TIMESTAMP NULL, local DATETIME(6) NULL, day DATE NULL, clock TIME(6) NULL, "
    "made TIMESTAMP(6) NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))"
)


def fill(db, rng, zone, count):
    """Instants near the changes of a zone, as numbers and as local texts, some in gaps and some in folds."""
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET SESSION sql_mode = '', time_zone = %s", (zone,))
        changing = zone if zone in NAMED else rng.choice(NAMED)
        for micros in instants(rng, changing, count):
            text = str(EPOCH + datetime.timedelta(microseconds=micros))
            exact = f"FROM_UNIXTIME({micros // 1_000_000}.{micros % 1_000_000:06})"
            # By way of a local time, which in a fold is another instant's too; then without such.
            for given, session in (("NULL", zone), (micros, "+00:00")):
                cur.execute("SET SESSION time_zone = %s", (session,))
                cur.execute(
                    "INSERT INTO shop.zones (given, stamp, whole, local, day, clock) VALUES "
                    f"({given}, {exact}, FROM_UNIXTIME({micros // 1_000_000}), '{text}', '{text}', TIME('{text}'))"
                )
            cur.execute("SET SESSION time_zone = %s", (zone,))
            # As a client writes it: in a gap the server moves it, in a fold it chooses.
            clock = datetime.datetime.fromtimestamp(micros // 1_000_000, zoneinfo.ZoneInfo(changing)).replace(tzinfo=None)
            local = clock + datetime.timedelta(minutes=rng.choice([-60, -30, 0, 30, 60]))
            cur.execute("INSERT INTO shop.zones (stamp, whole, local) VALUES (%s, %s, %s)", (local, local, local))
        cur.execute("UPDATE shop.zones SET clock = '-12:34:56.5' WHERE id % 5 = 0")


def truth(db, zone):
    """{id: row} by UNIX_TIMESTAMP, read in a zone."""
    with db.connect("shop") as con, con.cursor() as cur:
        cur.execute("SET SESSION time_zone = %s", (zone,))
        cur.execute("SELECT id, given, CAST(UNIX_TIMESTAMP(stamp) * 1000000 AS SIGNED), UNIX_TIMESTAMP(whole), "
                    "CAST(local AS CHAR), CAST(day AS CHAR), CAST(clock AS CHAR), "
                    "CAST(UNIX_TIMESTAMP(made) * 1000000 AS SIGNED) FROM shop.zones")
        rows = {}
        for number, given, stamp, whole, local, day, clock, made in cur.fetchall():
            assert given is None or given == stamp, f"the server itself moved {given} to {stamp} in {zone}"
            rows[number] = {
                "id": number,
                "given": given,
                "stamp": in_utc(stamp),
                "whole": in_utc(whole and whole * 1_000_000, 0),
                "local": local,
                "day": day,
                "clock": clock,
                "made": in_utc(made),
            }
        return rows


def newest(lines):
    rows = {}
    for line in lines:
        rows[line["after"]["id"]] = line["after"]
    return rows


@pytest.mark.parametrize("machine", ["America/New_York", "Asia/Kolkata"])
def test_no_zone_moves_a_value(new_db, sluice, rng, full, monkeypatch, machine):
    monkeypatch.setenv("TZ", machine)
    db = new_db({"default-time-zone": "SYSTEM"}, f"zone-{machine.replace('/', '-')}")
    monkeypatch.delenv("TZ")
    shifted = db.value("SELECT TIMEDIFF(FROM_UNIXTIME(1767225600), '2026-01-01 00:00:00')")
    assert shifted == zoneinfo.ZoneInfo(machine).utcoffset(datetime.datetime(2026, 1, 1)), "the server has another zone"
    load_zones(db)
    db.flush_logs()
    begin = (db.binlogs()[-1], 4)
    db.sql(CREATE)
    sessions = [*NAMED, *OFFSETS, "SYSTEM"]
    for zone in sessions:
        db.sql("SET GLOBAL time_zone = %s", (rng.choice(sessions),))
        fill(db, rng, zone, 60 if full else 6)
    rows = truth(db, "+00:00")
    for zone in sessions:
        assert truth(db, zone) == rows, f"SELECT by UNIX_TIMESTAMP differs in {zone}"
    end = db.position()
    path = db.flush_logs()
    printed = set()
    for here in MACHINES:
        done = sluice().run("dump", path, config=False, env={"TZ": here} if here else None)
        assert done.returncode == 0, done.stderr
        printed.add(done.stdout)
    driver = sluice({
        "source": source_of(db),
        "sinks": {"cache": {"type": "redis", "url": "redis://127.0.0.1:1"}},
        "routes": [{"table": "shop.zones", "to": "cache", "invalidate": ["z:{id}"]}],
    })
    streamed = driver.run("dump", "--from", at(begin), "--to", at(end), env={"TZ": "Australia/Lord_Howe"})
    printed.add(streamed.stdout)
    assert len(printed) == 1, "the machine's zone shows in the output"
    ours = newest(driver.dump(path))
    assert ours.keys() == rows.keys()
    for number, row in rows.items():
        assert ours[number] == row, f"row {number}"
    assert len(rows) > 200 and len({row["stamp"] for row in rows.values()}) > 100


def test_set_timestamp_is_the_value_and_not_always_the_commit(db, sluice):
    """SET timestamp makes CURRENT_TIMESTAMP. MySQL logs when it committed beside it; MariaDB logs that time only."""
    db.sql(CREATE)
    db.flush_logs()
    claims = [1, 86_400, 951_782_400, 1_793_494_799, 1_793_494_800, LAST - 1]
    before = time.time()
    with db.connect("shop") as con, con.cursor() as cur:
        for zone in ("+00:00", "-05:00"):
            cur.execute("SET SESSION time_zone = %s", (zone,))
            for claim in claims:
                cur.execute(f"SET timestamp = {claim}.25")
                cur.execute("INSERT INTO shop.zones (given) VALUES (%s)", (claim * 1_000_000,))
        cur.execute("SET timestamp = DEFAULT")
        cur.execute("INSERT INTO shop.zones (given) VALUES (NULL)")
    after = time.time()
    lines = sluice().dump(db.flush_logs())
    assert len(lines) == 2 * len(claims) + 1
    for line, claim in zip(lines, claims * 2):
        assert line["after"]["made"] == in_utc(claim * 1_000_000 + 250_000)
        if db.flavor == "mysql":
            assert line["commit_precision"] == "us" and before - 1 <= line["ts_us"] / 1e6 <= after + 1, line
        else:
            assert line["commit_precision"] == "s" and line["ts_us"] == claim * 1_000_000, line
    assert before - 1 <= lines[-1]["ts_us"] / 1e6 <= after + 1
    made = datetime.datetime.fromisoformat(lines[-1]["after"]["made"][:-1])
    assert before - 1 <= calendar.timegm(made.timetuple()) <= after + 1
    assert [line["version"] for line in lines] == sorted(line["version"] for line in lines), "the clock moved a version"
