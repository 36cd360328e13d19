import com.zendesk.maxwell.Maxwell;
import com.zendesk.maxwell.MaxwellConfig;
import com.zendesk.maxwell.MaxwellContext;
import com.zendesk.maxwell.producer.BufferedProducer;
import com.zendesk.maxwell.row.RowMap;
import com.zendesk.maxwell.schema.ddl.DDLMap;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Maxwell itself as a line server for cases.py. It reads one line a request: key=value, separated by tabs (do host port
 * user password begin end, and all of Maxwell's own options). do=prepare starts a Maxwell with these options, if none
 * runs yet, and prints an empty line; do=collect prints what it wrote between the statements with the words of `begin`
 * and `end`, a line each, and then an empty line. With record_key=hash or array each line has the record's key and a
 * TAB before it.
 */
public final class MaxwellOracle {
    private static final class Running extends Maxwell {
        Running(MaxwellConfig config) throws Exception {
            super(new MaxwellContext(config));
        }

        @Override
        protected void onReplicatorStart() {
            started = true;
        }

        volatile boolean started;
        volatile Exception failed;

        BufferedProducer producer() throws Exception {
            return (BufferedProducer) context.getProducer();
        }

        MaxwellConfig config() {
            return config;
        }
    }

    private static int count;
    private static final Map<String, Running> RUNNING = new LinkedHashMap<>();

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
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
                for (String record : answer(request)) {
                    out.println(record);
                }
            } catch (Throwable failure) {
                out.println("error\t" + failure);
                failure.printStackTrace();
            }
            out.println();
        }
        System.exit(0);
    }

    private static Running running(Map<String, String> request) throws Exception {
        List<String> options = new ArrayList<>();
        for (Map.Entry<String, String> option : request.entrySet()) {
            if (option.getKey().matches("output_.*|exclude_columns|row_query_max_length|gtid_mode|kafka_key_format|filter")) {
                options.add("--" + option.getKey() + "=" + option.getValue());
            }
        }
        options.add("--host=" + request.get("host"));
        options.add("--port=" + request.get("port"));
        options.add("--user=" + request.get("user"));
        options.add("--password=" + request.get("password"));
        options.add("--jdbc_options=allowPublicKeyRetrieval=true");
        options.add("--producer=buffer");
        options.sort(null);
        String key = String.join(" ", options);
        Running maxwell = RUNNING.get(key);
        if (maxwell != null && maxwell.failed == null) {
            return maxwell;
        }
        if (RUNNING.size() >= 4) { // each has its connections
            Thread stop = new Thread(RUNNING.remove(RUNNING.keySet().iterator().next())::terminate);
            stop.setDaemon(true);
            stop.start();
        }
        int number = ++count;
        options.add("--schema_database=maxwell_" + number + "_" + ProcessHandle.current().pid());
        options.add("--client_id=case" + number);
        options.add("--replica_server_id=" + (7000 + number));
        Running made = new Running(new MaxwellConfig(options.toArray(new String[0])));
        RUNNING.put(key, made);
        Thread thread = new Thread(() -> {
            try {
                made.start();
            } catch (Exception failure) {
                failure.printStackTrace();
                made.failed = failure;
            }
        });
        thread.setDaemon(true);
        thread.start();
        for (int i = 0; i < 600 && !made.started && made.failed == null; i++) {
            Thread.sleep(50);
        }
        if (made.failed != null) {
            throw made.failed;
        }
        return made;
    }

    private static List<String> answer(Map<String, String> request) throws Exception {
        Running maxwell = running(request);
        List<String> lines = new ArrayList<>();
        if (request.get("do").equals("prepare")) {
            return lines;
        }
        boolean begun = false;
        while (true) {
            RowMap row = null;
            for (int i = 0; i < 40 && row == null && maxwell.failed == null; i++) {
                row = maxwell.producer().poll(250, TimeUnit.MILLISECONDS);
            }
            if (row == null) {
                lines.add("error\t" + (maxwell.failed != null ? maxwell.failed.toString() : "no end in 10 s"));
                maxwell.failed = new IllegalStateException("lost its place");
                return lines;
            }
            if (row instanceof DDLMap) {
                String sql = ((DDLMap) row).getSql();
                if (sql.contains(request.get("begin"))) {
                    begun = true;
                    continue;
                }
                if (sql.contains(request.get("end"))) {
                    return lines;
                }
            }
            boolean own = row.getDatabase() != null && row.getDatabase().startsWith("maxwell");
            if (!begun || own || !row.shouldOutput(maxwell.config().outputConfig)) {
                continue;
            }
            String json = row.toJSON(maxwell.config().outputConfig);
            if (request.containsKey("record_key")) {
                RowMap.KeyFormat format =
                    request.get("record_key").equals("hash") ? RowMap.KeyFormat.HASH : RowMap.KeyFormat.ARRAY;
                json = row.pkToJson(format) + "\t" + json;
            }
            lines.add(json);
        }
    }
}
