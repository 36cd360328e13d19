import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;

/**
 * Cache reads for keys that sluice fences ({@code mode: fence}): a fill never outlives a change that it did not see.
 *
 * <pre>
 * var cache = new FencedCache(jedis::evalsha, jedis::eval, Path.of("snippets/redis"), 1000, 60_000, 0);
 * byte[] order = cache.get("order:17".getBytes(UTF_8), () -> readOrder(17), 3_600_000);
 * </pre>
 *
 * The client is Jedis (JedisPooled, JedisCluster), or Lettuce with a ByteArrayCodec, by two lambdas:
 *
 * <pre>
 * (sha, keys, args) -> redis.evalsha(new String(sha, US_ASCII), ScriptOutputType.MULTI,
 *         keys.toArray(new byte[0][]), args.toArray(new byte[0][]))
 * (script, keys, args) -> redis.eval(script, ScriptOutputType.MULTI,
 *         keys.toArray(new byte[0][]), args.toArray(new byte[0][]))
 * </pre>
 *
 * As safe for threads as the client is. Java 11.
 */
public final class FencedCache {
    /** EVALSHA or EVAL: arrays are answered as List, strings as byte[], integers as Long, errors by an exception. */
    @FunctionalInterface
    public interface Command {
        Object run(byte[] script, List<byte[]> keys, List<byte[]> args);
    }

    private static final class Script {
        final byte[] text;
        final byte[] sha;

        Script(Path path) throws IOException {
            text = Files.readAllBytes(path);
            try {
                StringBuilder hex = new StringBuilder();
                for (byte one : MessageDigest.getInstance("SHA-1").digest(text)) {
                    hex.append(String.format("%02x", one));
                }
                sha = bytes(hex.toString());
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static final long WAIT_MS = 5;

    private final Command evalsha;
    private final Command eval;
    private final Script get;
    private final Script fill;
    private final long holdMs;
    private final long maxFillMs;
    private final long leaseMs;

    /**
     * holdMs and maxFillMs are hold_ms and max_fill_ms of the sink. With leaseMs one reader of a key fills at a time,
     * within that time; the others get what the key held before ({@code old_ms} of the sink), or wait for it. 0: none.
     */
    public FencedCache(Command evalsha, Command eval, Path scripts, long holdMs, long maxFillMs, long leaseMs)
            throws IOException {
        this.evalsha = evalsha;
        this.eval = eval;
        this.get = new Script(scripts.resolve("get.lua"));
        this.fill = new Script(scripts.resolve("fill.lua"));
        this.holdMs = holdMs;
        this.maxFillMs = maxFillMs;
        this.leaseMs = leaseMs;
    }

    /** The name of what stands beside a key, in one slot with it: "fence", "lease" or "old". */
    public static byte[] beside(String kind, byte[] key) {
        // Each byte as one character, and back.
        String text = new String(key, StandardCharsets.ISO_8859_1);
        int begin = text.indexOf('{');
        int end = begin < 0 ? -1 : text.indexOf('}', begin);
        String tagged = end > begin + 1 ? text : "{" + text + "}";
        return ("sluice:" + kind + ":" + tagged).getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * The cached value, or what load returns, which is stored for ttlMs if it is safe. load reads the database, in no
     * snapshot that is older than the call, and never returns null. What load and the client throw is thrown.
     */
    public byte[] get(byte[] key, Callable<byte[]> load, long ttlMs) throws Exception {
        List<byte[]> keys = List.of(key, beside("fence", key), beside("lease", key), beside("old", key));
        byte[] text = bytes(UUID.randomUUID().toString());
        while (true) {
            List<?> found = (List<?>) run(get, keys, text, holdMs, maxFillMs, leaseMs);
            if (found.size() == 1) {
                return (byte[]) found.get(0);
            }
            Object token = found.get(1), settled = found.get(2), mine = found.get(3), old = found.get(4);
            if (mine.equals(1L)) {
                byte[] value = Objects.requireNonNull(load.call(), "load returned null");
                run(fill, keys, token, settled, value, ttlMs, holdMs, text);
                return value;
            }
            if (old != null) {
                return (byte[]) old;
            }
            Thread.sleep(WAIT_MS);
        }
    }

    private Object run(Script script, List<byte[]> keys, Object... values) {
        List<byte[]> args = new ArrayList<>();
        for (Object value : values) {
            args.add(value instanceof byte[] ? (byte[]) value : bytes(value.toString()));
        }
        try {
            return evalsha.run(script.sha, keys, args);
        } catch (RuntimeException e) {
            if (e.getMessage() == null || !e.getMessage().startsWith("NOSCRIPT")) {
                throw e;
            }
            return eval.run(script.text, keys, args);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
