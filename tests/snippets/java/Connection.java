import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** As much of a Redis client as the snippet needs, with the methods and answers of Jedis. */
final class Connection {
    private final Socket socket;
    private final DataInputStream in;

    Connection(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    Object evalsha(byte[] sha, List<byte[]> keys, List<byte[]> args) {
        return script("EVALSHA", sha, keys, args);
    }

    Object eval(byte[] script, List<byte[]> keys, List<byte[]> args) {
        return script("EVAL", script, keys, args);
    }

    Object command(Object... words) {
        return send(List.of(words));
    }

    private Object script(String command, byte[] script, List<byte[]> keys, List<byte[]> args) {
        List<Object> words = new ArrayList<>(List.of(command, script, keys.size()));
        words.addAll(keys);
        words.addAll(args);
        return send(words);
    }

    private Object send(List<?> words) {
        try {
            ByteArrayOutputStream request = new ByteArrayOutputStream();
            request.write(ascii("*" + words.size() + "\r\n"));
            for (Object word : words) {
                byte[] bytes = word instanceof byte[] ? (byte[]) word : ascii(word.toString());
                request.write(ascii("$" + bytes.length + "\r\n"));
                request.write(bytes);
                request.write(ascii("\r\n"));
            }
            request.writeTo(socket.getOutputStream());
            return reply();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Object reply() throws IOException {
        int kind = in.readByte();
        String line = line();
        if (kind == '-') {
            throw new IllegalStateException(line);
        }
        if (kind == '+') {
            return ascii(line);
        }
        long number = Long.parseLong(line);
        if (kind == ':') {
            return number;
        }
        if (number < 0) {
            return null;
        }
        if (kind == '$') {
            byte[] text = new byte[(int) number];
            in.readFully(text);
            line();
            return text;
        }
        List<Object> list = new ArrayList<>();
        while (list.size() < number) {
            list.add(reply());
        }
        return list;
    }

    private String line() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int one = in.read(); one != '\n'; one = in.read()) {
            if (one < 0) {
                throw new EOFException("the connection is lost");
            }
            if (one != '\r') {
                text.append((char) one);
            }
        }
        return text.toString();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
