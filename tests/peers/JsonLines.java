import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Reads a JSON value from each line of stdin with Jackson, numbers with all their digits, and prints it back. */
public final class JsonLines {
    /** Of a number: an exact double as Maxwell writes it inside JSON has more than Jackson's 1000. */
    private static final int CHARACTERS = 2000;

    public static void main(String[] args) throws Exception {
        StreamReadConstraints.overrideDefaultStreamReadConstraints(
            StreamReadConstraints.builder().maxNumberLength(CHARACTERS).build());
        ObjectMapper mapper = JsonMapper.builder()
                                  .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                                  .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                                  .nodeFactory(JsonNodeFactory.withExactBigDecimals(true))
                                  .build();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.print(mapper.writeValueAsString(mapper.readTree(line)) + "\n");
        }
        out.flush();
    }
}
