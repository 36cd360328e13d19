import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The Java snippet for tests/system/test_fence_snippets.py, which has the protocol. */
public final class Driver {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\": ?(?:\"([^\"]*)\"|(\\d+))");
    private static final BufferedReader IN =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    public static void main(String[] args) throws Exception {
        Map<String, String> options = parse(args[0]);
        Connection redis = new Connection(Integer.parseInt(options.get("port")));
        if (options.containsKey("username")) {
            redis.command("AUTH", options.get("username"), options.get("password"));
        }
        FencedCache cache = new FencedCache(redis::evalsha, redis::eval, Path.of(options.get("scripts")),
                Long.parseLong(options.get("hold_ms")), Long.parseLong(options.get("max_fill_ms")),
                Long.parseLong(options.get("lease_ms")));
        for (String line = IN.readLine(); line != null; line = IN.readLine()) {
            try {
                say("{\"got\": \"" + hex(answer(cache, parse(line))) + "\"}");
            } catch (Exception e) {
                say("{\"error\": \"" + String.valueOf(e.getMessage()).replaceAll("[\"\\\\]", "'") + "\"}");
            }
        }
    }

    private static byte[] answer(FencedCache cache, Map<String, String> ask) throws Exception {
        byte[] key = bytes(ask.get("key"));
        if (ask.containsKey("beside")) {
            return FencedCache.beside(ask.get("beside"), key);
        }
        return cache.get(key, Driver::load, Long.parseLong(ask.get("ttl_ms")));
    }

    private static byte[] load() throws IOException {
        say("{\"load\": true}");
        Map<String, String> found = parse(IN.readLine());
        if (found.containsKey("fail")) {
            throw new IOException(found.get("fail"));
        }
        return bytes(found.get("value"));
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static Map<String, String> parse(String json) {
        Map<String, String> fields = new HashMap<>();
        for (Matcher found = FIELD.matcher(json); found.find();) {
            fields.put(found.group(1), found.group(2) != null ? found.group(2) : found.group(3));
        }
        return fields;
    }

    private static byte[] bytes(String hex) {
        byte[] made = new byte[hex.length() / 2];
        for (int i = 0; i < made.length; i++) {
            made[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return made;
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte one : bytes) {
            text.append(Character.forDigit(one >> 4 & 15, 16)).append(Character.forDigit(one & 15, 16));
        }
        return text.toString();
    }
}
