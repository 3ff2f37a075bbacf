package registry.haproxy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The JSON Schema of the input, the same file as {@code etc/registry-haproxy.schema.json}. */
final class InputSchema {
    private InputSchema() {}

    static String text() throws IOException {
        try (InputStream in =
                InputSchema.class.getResourceAsStream("/registry-haproxy.schema.json")) {
            if (in == null) {
                throw new IOException("the schema is missing in this program");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
