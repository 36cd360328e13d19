import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONWriter;
import com.alibaba.otter.canal.connector.core.producer.MQMessageUtils;
import com.alibaba.otter.canal.filter.aviater.AviaterRegexFilter;
import com.alibaba.otter.canal.parse.inbound.EventTransactionBuffer;
import com.alibaba.otter.canal.parse.inbound.mysql.MysqlConnection;
import com.alibaba.otter.canal.parse.inbound.mysql.MysqlMultiStageCoprocessor;
import com.alibaba.otter.canal.parse.inbound.mysql.dbsync.LogEventConvert;
import com.alibaba.otter.canal.parse.inbound.mysql.dbsync.TableMetaCache;
import com.alibaba.otter.canal.parse.inbound.mysql.tsdb.MemoryTableMeta;
import com.alibaba.otter.canal.parse.driver.mysql.packets.GTIDSet;
import com.alibaba.otter.canal.parse.driver.mysql.packets.MariaGTIDSet;
import com.alibaba.otter.canal.parse.driver.mysql.packets.MysqlGTIDSet;
import com.alibaba.otter.canal.protocol.CanalEntry;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Canal itself as a line server for cases.py. It reads one line a case: key=value, separated by tabs (host port user
 * password file position end, and tables, gtid, partition_hash, partitions, query_dml), lets Canal's parser read the
 * binlog from a running server as a deployer does (multi stage parser, transaction buffer, flat message, partition
 * split, the serializer's features of CanalKafkaProducer), prints "partition TAB json" for each record and then an
 * empty line. `end` is a word in the SQL of the statement that ends the case.
 */
public final class CanalOracle {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        PrintStream out = OUT;
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        out.println("ready");
        for (String line; (line = in.readLine()) != null;) {
            Map<String, String> request = new HashMap<>();
            for (String pair : line.split("\t")) {
                int at = pair.indexOf('=');
                request.put(pair.substring(0, at), pair.substring(at + 1));
            }
            try {
                for (String record : run(request)) {
                    out.println(record);
                }
            } catch (Throwable failure) {
                Throwable cause = failure;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                out.println("error\t" + cause);
            }
            out.println();
        }
    }

    private static MysqlConnection connect(Map<String, String> request) throws Exception {
        MysqlConnection connection = new MysqlConnection(
            new InetSocketAddress(request.get("host"), Integer.parseInt(request.get("port"))), request.get("user"),
            request.get("password"));
        connection.setSlaveId(4242);
        connection.setCharset(StandardCharsets.UTF_8);
        connection.connect();
        return connection;
    }

    private static List<String> run(Map<String, String> request) throws Exception {
        MysqlConnection meta = connect(request);
        MysqlConnection dump = connect(request);
        BlockingQueue<Object> arrived = new ArrayBlockingQueue<>(100_000);

        LogEventConvert convert = new LogEventConvert();
        convert.setCharset(StandardCharsets.UTF_8);
        convert.setNameFilter(new AviaterRegexFilter(".*\\..*"));
        convert.setNameBlackFilter(new AviaterRegexFilter("mysql\\.slave_.*"));
        convert.setFilterQueryDml(!"on".equals(request.getOrDefault("query_dml", "on")));
        boolean history = !"live".equals(request.get("tables"));
        convert.setTableMetaCache(new TableMetaCache(meta, history ? new MemoryTableMeta() : null));

        EventTransactionBuffer buffer = new EventTransactionBuffer();
        buffer.setFlushCallback(entries -> {
            // EntryEventSink: what has no row data is not passed on.
            for (CanalEntry.Entry entry : entries) {
                if (entry.getEntryType() == CanalEntry.EntryType.ROWDATA) {
                    arrived.addAll(entries);
                    break;
                }
            }
        });
        buffer.start();
        MysqlMultiStageCoprocessor stages =
            new MysqlMultiStageCoprocessor(1024, 2, convert, buffer, "case", false, false, false);
        GTIDSet gtid = null;
        if (request.containsKey("gtid")) {
            gtid = request.get("gtid").contains(":") || request.get("gtid").isEmpty()
                ? MysqlGTIDSet.parse(request.get("gtid")) : MariaGTIDSet.parse(request.get("gtid"));
            stages.setGtidSet(gtid);
        }
        stages.start();
        final GTIDSet from = gtid;
        Thread thread = new Thread(() -> {
            try {
                if (from != null) {
                    dump.dump(from, stages);
                } else {
                    dump.dump(request.get("file"), Long.parseLong(request.get("position")), stages);
                }
                arrived.add(new IllegalStateException("the dump ended"));
            } catch (Throwable failure) {
                arrived.add(failure);
            }
        });
        thread.start();

        List<CanalEntry.Entry> entries = new ArrayList<>();
        Throwable failed = null;
        while (true) {
            Object next = arrived.poll(20, TimeUnit.SECONDS);
            if (next == null) {
                failed = new IllegalStateException("no end in 20 s");
                break;
            }
            if (next instanceof Throwable) {
                failed = (Throwable) next;
                break;
            }
            CanalEntry.Entry entry = (CanalEntry.Entry) next;
            if (entry.getEntryType() == CanalEntry.EntryType.ROWDATA
                && CanalEntry.RowChange.parseFrom(entry.getStoreValue()).getSql().contains(request.get("end"))) {
                break;
            }
            entries.add(entry);
        }
        dump.disconnect();
        meta.disconnect();
        thread.interrupt();
        Thread stop = new Thread(stages::stop);
        stop.setDaemon(true);
        stop.start();

        List<String> lines = new ArrayList<>();
        for (CanalEntry.Entry entry : entries) {
            MQMessageUtils.EntryRowData data = new MQMessageUtils.EntryRowData();
            data.entry = entry;
            data.rowChange = CanalEntry.RowChange.parseFrom(entry.getStoreValue());
            for (com.alibaba.otter.canal.protocol.FlatMessage message : MQMessageUtils
                .messageConverter(new MQMessageUtils.EntryRowData[] { data }, 1)) {
                String hash = request.get("partition_hash");
                if (hash == null || hash.isEmpty()) {
                    lines.add("0\t" + json(message));
                    continue;
                }
                Integer partitions = Integer.valueOf(request.get("partitions"));
                com.alibaba.otter.canal.protocol.FlatMessage[] parts =
                    MQMessageUtils.messagePartition(message, partitions, hash, true);
                for (int i = 0; i < parts.length; i++) {
                    if (parts[i] != null) {
                        lines.add(i + "\t" + json(parts[i]));
                    }
                }
            }
        }
        if (failed != null) {
            Throwable cause = failed;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            lines.add("error\t" + cause);
        }
        return lines;
    }

    private static String json(com.alibaba.otter.canal.protocol.FlatMessage message) {
        return new String(JSON.toJSONBytes(message, JSONWriter.Feature.WriteNulls, JSONWriter.Feature.LargeObject),
            StandardCharsets.UTF_8);
    }
}
