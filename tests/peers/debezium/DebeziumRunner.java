import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.Header;
import io.debezium.engine.format.Json;
import io.debezium.engine.format.KeyValueHeaderChangeEventFormat;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.StringJoiner;

/**
 * Runs Debezium's embedded engine with the properties of a file and writes one line per record on stdout:
 * topic, key, headers and value, with tabs between them ("null" for none). Ends when stdin does, or with the
 * engine; the line of an engine that ended by itself begins with "error".
 */
public final class DebeziumRunner {
    private static final PrintStream OUT =
        new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);

    private static String headers(ChangeEvent<String, String> record) {
        StringJoiner all = new StringJoiner(",", "{", "}");
        for (Header<String> header : record.<String>headers()) {
            all.add("\"" + header.getKey() + "\":" + header.getValue());
        }
        return all.toString();
    }

    private static void write(ChangeEvent<String, String> record) {
        OUT.print(record.destination() + "\t" + record.key() + "\t" + headers(record) + "\t" + record.value() + "\n");
        OUT.flush();
    }

    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        try (FileInputStream in = new FileInputStream(args[0])) {
            properties.load(in);
        }
        DebeziumEngine<ChangeEvent<String, String>> engine =
            DebeziumEngine.create(KeyValueHeaderChangeEventFormat.of(Json.class, Json.class, Json.class))
                .using(properties)
                .using((success, message, error) -> {
                    if (!success) {
                        Throwable cause = error;
                        StringBuilder text = new StringBuilder(String.valueOf(message));
                        while (cause != null) {
                            text.append(" <- ").append(cause);
                            cause = cause.getCause();
                        }
                        OUT.print("error\t" + text.toString().replaceAll("\\s+", " ") + "\n");
                        OUT.flush();
                    }
                })
                .notifying(DebeziumRunner::write)
                .build();
        Thread stop = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    // only its end counts
                }
                engine.close();
            }
            catch (Exception ignored) {
                // it has ended
            }
            Runtime.getRuntime().halt(0);
        });
        stop.setDaemon(true);
        stop.start();
        engine.run();
    }
}
